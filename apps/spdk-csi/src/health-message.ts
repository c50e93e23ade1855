/** What CSI leaves for a text about a volume's or a storage's health. */
const MAX_BYTES = 128;

/** The text as far as it fits; the log has all of it. */
export function healthMessage(text: string): string {
  if (Buffer.byteLength(text) <= MAX_BYTES) return text;
  const head = Buffer.from(text).subarray(0, MAX_BYTES - Buffer.byteLength("…"));
  // A character that was cut in half reads as U+FFFD.
  return `${head.toString().replace(/\uFFFD$/u, "")}…`;
}
