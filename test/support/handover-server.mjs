// Answers each connection with the name of the task, then echoes. Ends at SIGTERM, whoever is still connected.
import { createServer } from 'node:net';

const server = createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => socket.destroy());
  socket.write(`${process.env.MESOS_TASK_ID}\n`);
  socket.pipe(socket);
});
server.listen({ port: 9000, host: '0.0.0.0', backlog: 511 });
process.on('SIGTERM', () => process.exit(0));
