import { z } from 'zod';
import { networkSchema } from '../../v1/networks.ts';
import { reservationSchema } from '../../v1/reservations.ts';
import type { Operation } from '../operation.ts';

const network = networkSchema.extend({
  name: z.string(),
  gateway: z.string(),
  service: z.string(),
  leases: z.int(),
});
const reservation = reservationSchema.extend({
  network: z.string(),
  name: z.string(),
  hostname: z.string(),
  inViews: z.boolean(),
});
const noReservation = { description: 'there is no such network or reservation' };

/** The networks of the switch, and what on them is no container of ours. */
export const networkOperations: readonly Operation[] = [
  {
    method: 'get',
    path: '/v1/networks',
    summary: 'The networks of the switch',
    answers: { 200: { description: 'the networks', schema: z.object({ networks: z.array(network) }) } },
  },
  {
    method: 'get',
    path: '/v1/networks/{name}',
    summary: 'One network',
    answers: {
      200: { description: 'the network', schema: network },
      404: { description: 'there is no such network' },
    },
  },
  {
    method: 'put',
    path: '/v1/networks/{name}',
    summary: 'Create or change a network',
    access: 'admin',
    body: networkSchema,
    answers: {
      200: { description: 'it was changed', schema: network },
      201: { description: 'it was created', schema: network },
    },
  },
  {
    method: 'delete',
    path: '/v1/networks/{name}',
    summary: 'Remove a network that nothing uses',
    access: 'admin',
    answers: { 204: { description: 'it is gone' }, 404: { description: 'there is no such network' } },
  },
  {
    method: 'get',
    path: '/v1/networks/{name}/reservations',
    summary: 'Machines on a network that are no containers of ours',
    answers: {
      200: {
        description: 'the reservations',
        schema: z.object({ reservations: z.array(reservation) }),
      },
      404: { description: 'there is no such network' },
    },
  },
  {
    method: 'get',
    path: '/v1/networks/{name}/reservations/{reservation}',
    summary: 'One of them',
    answers: { 200: { description: 'the reservation', schema: reservation }, 404: noReservation },
  },
  {
    method: 'put',
    path: '/v1/networks/{name}/reservations/{reservation}',
    summary: 'Put a machine on a network, or change it',
    access: 'admin',
    body: reservationSchema,
    answers: {
      200: { description: 'it was changed', schema: reservation },
      201: { description: 'it was made', schema: reservation },
    },
  },
  {
    method: 'delete',
    path: '/v1/networks/{name}/reservations/{reservation}',
    summary: 'Take a machine off a network',
    access: 'admin',
    answers: { 204: { description: 'it is gone' }, 404: noReservation },
  },
];
