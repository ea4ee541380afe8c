import type {
  ViewAnswer as AnswerMessage,
  ViewFrame as FrameMessage,
  ViewQuestion as QuestionMessage,
  ViewSwitchPort as PortMessage,
} from '../../../proto/view.gen.ts';
import { slotIdFromText } from '../../model/ids.ts';
import { tryParseIpv4 } from '../ipv4.ts';
import type { EndpointKey } from '../view.ts';
import { frameProblem } from './question.ts';
import type { Entrance, FrameProtocol, HostAnswer, HostQuestion, PathFrame, SwitchPort } from './question.ts';

/** The message of a question, as the codec takes it. */
export function questionToWire({ id, frame, entrance }: HostQuestion): QuestionMessage {
  return {
    id,
    frame: frameToWire(frame),
    ...(entrance.kind === 'endpoint'
      ? { endpoint: keyOf(entrance.endpoint) }
      : { tunnel: { from: entrance.from, id: entrance.tunnelId } }),
  };
}

/** A decoded question in our words; undefined for one that this build does not understand. */
export function questionFromWire(message: QuestionMessage): HostQuestion | undefined {
  const frame = frameFromWire(message.frame);
  const entrance = entranceFromWire(message);
  if (frame === undefined || entrance === undefined || frameProblem(frame) !== undefined) return undefined;
  return { id: message.id, frame, entrance };
}

/** The message of an answer, as the codec takes it. */
export function answerToWire(answer: HostAnswer): AnswerMessage {
  if (answer.kind === 'problem') return { id: answer.id, problem: answer.problem };
  return { id: answer.id, trace: answer.trace, ports: answer.ports.map(portToWire) };
}

/** A decoded answer in our words; one that says nothing is a problem. */
export function answerFromWire({ id, trace, ports, problem }: AnswerMessage): HostAnswer {
  if (trace === undefined) return { id, kind: 'problem', problem: problem ?? 'it does not say why' };
  return { id, kind: 'trace', trace, ports: (ports ?? []).flatMap(portFromWire) };
}

const frameToWire = (frame: PathFrame): FrameMessage => ({
  protocol: frame.protocol,
  source_mac: frame.sourceMac,
  destination_mac: frame.destinationMac,
  source: frame.source,
  destination: frame.destination,
  ...(frame.sourcePort === undefined ? {} : { source_port: frame.sourcePort }),
  ...(frame.destinationPort === undefined ? {} : { destination_port: frame.destinationPort }),
  ttl: frame.ttl,
});

function frameFromWire(message: FrameMessage): PathFrame | undefined {
  const { protocol } = message;
  if (!isProtocol(protocol)) return undefined;
  return {
    protocol,
    sourceMac: message.source_mac,
    destinationMac: message.destination_mac,
    source: message.source,
    destination: message.destination,
    ...(message.source_port === undefined ? {} : { sourcePort: message.source_port }),
    ...(message.destination_port === undefined ? {} : { destinationPort: message.destination_port }),
    ttl: message.ttl,
  };
}

const isProtocol = (text: string): text is FrameProtocol =>
  text === 'tcp' || text === 'udp' || text === 'icmp' || text === 'arp';

function entranceFromWire({ endpoint, tunnel }: QuestionMessage): Entrance | undefined {
  if (endpoint !== undefined) return { kind: 'endpoint', endpoint: keyFromWire(endpoint) };
  if (tunnel === undefined || tryParseIpv4(tunnel.from) === undefined) return undefined;
  return { kind: 'tunnel', from: tunnel.from, tunnelId: tunnel.id };
}

function portToWire(port: SwitchPort): PortMessage {
  switch (port.kind) {
    case 'endpoint':
      return { number: port.number, endpoint: keyOf(port.endpoint) };
    case 'gateway':
      return { number: port.number, gateway_of: port.network };
    case 'tunnel':
      return { number: port.number, tunnel_to: port.to ?? '' };
  }
}

function portFromWire({ number, endpoint, gateway_of, tunnel_to }: PortMessage): SwitchPort[] {
  if (endpoint !== undefined) return [{ number, kind: 'endpoint', endpoint: keyFromWire(endpoint) }];
  if (gateway_of !== undefined) return [{ number, kind: 'gateway', network: gateway_of }];
  if (tunnel_to === undefined) return [];
  return [{ number, kind: 'tunnel', ...(tunnel_to === '' ? {} : { to: tunnel_to }) }];
}

const keyFromWire = ({ slot, epoch }: { slot: string; epoch: number }): EndpointKey => ({
  slot: slotIdFromText(slot),
  epoch,
});

const keyOf = ({ slot, epoch }: EndpointKey): { slot: string; epoch: number } => ({ slot, epoch });
