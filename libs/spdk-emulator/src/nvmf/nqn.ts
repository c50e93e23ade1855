const NQN = /^nqn\.\d{4}-\d{2}\.[A-Za-z0-9](?:[A-Za-z0-9-]*(?:\.[A-Za-z0-9][A-Za-z0-9-]*)*):.+$/;
const UUID_NQN = /^nqn\.2014-08\.org\.nvmexpress:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const UUID_NQN_PREFIX = "nqn.2014-08.org.nvmexpress:uuid:";
const MAX_NQN_BYTES = 223;

/** Whether SPDK takes a text as an NQN. */
export function isNqn(text: string): boolean {
  if (Buffer.byteLength(text) > MAX_NQN_BYTES) return false;
  return text.startsWith(UUID_NQN_PREFIX) ? UUID_NQN.test(text) : NQN.test(text);
}
