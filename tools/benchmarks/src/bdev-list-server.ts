// Answers every request on a unix socket with the same list of 10,000 bdevs.
import { createServer } from "node:net";

import { bdevListReply } from "./bdev-list-reply.ts";

const reply = bdevListReply(10_000, 0).toString();
const server = createServer((socket) => {
  socket.on("error", () => undefined);
  socket.on("data", (chunk) => {
    for (const [, id = ""] of chunk.toString().matchAll(/"id":(\d+)/g))
      socket.write(reply.replace('"id":0', `"id":${id}`));
  });
});
server.listen(process.argv[2], () => process.stdout.write("ready\n"));
