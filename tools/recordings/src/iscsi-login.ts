import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** Who logs in, and where. */
export interface Login {
  readonly port: number;
  readonly initiator: string;
  readonly target: string;
}

const HEADER_BYTES = 48;
const LOGIN_REQUEST = 0x43; // with the bit of immediate delivery
const TO_FULL_FEATURES = 0x87; // leaves the operational stage for the full feature phase (RFC 7143, 11.12.3)

/**
 * Logs in to an iSCSI target without authentication; the session lasts as long as the connection.
 *
 * @throws Error when the target refuses.
 */
export async function logIn({ port, initiator, target }: Login): Promise<Socket> {
  const keys = `InitiatorName=${initiator}\0SessionType=Normal\0TargetName=${target}\0`;
  const pdu = Buffer.alloc(HEADER_BYTES + Math.ceil(keys.length / 4) * 4);
  pdu[0] = LOGIN_REQUEST;
  pdu[1] = TO_FULL_FEATURES;
  pdu.writeUIntBE(keys.length, 5, 3);
  pdu[8] = 0x80; // an initiator session id of random type
  pdu.write(keys, HEADER_BYTES);

  const socket = connect(port, "127.0.0.1");
  socket.write(pdu);
  const [reply] = (await once(socket, "data")) as [Buffer];
  const status = reply.readUInt16BE(36);
  if (status !== 0) throw new Error(`the iSCSI login to ${target} failed with status 0x${status.toString(16)}`);
  return socket;
}
