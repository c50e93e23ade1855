/** How much a log line matters, least first. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;

/** One of the four levels of a log line. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What a log line carries beside its message. Bigints, errors and nested objects are allowed. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Where the framework and the driver write their log. Any of the usual loggers fits behind it. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds `fields` to every line. Optional: without it the framework adds them line by line. */
  child?(fields: LogFields): Logger;
}

/** What a logger writes to; `process.stderr` fits. */
export interface LogStream {
  write(text: string): unknown;
}

type Format = (level: LogLevel, message: string, fields: LogFields) => string;

/** Writes one JSON object a line: `time`, `level`, `message`, then the fields. `level` (default "info") is the least written. */
export function jsonLogger(stream: LogStream, level: LogLevel = "info"): Logger {
  return streamLogger(stream, level, (lineLevel, message, fields) =>
    toJson({ time: new Date().toISOString(), level: lineLevel, message, ...fields }),
  );
}

/** Writes lines for people: time, level, message, `key=value`. `level` (default "info") is the least written. */
export function textLogger(stream: LogStream, level: LogLevel = "info"): Logger {
  return streamLogger(stream, level, (lineLevel, message, fields) => {
    const pairs = Object.entries(fields).flatMap(([key, value]) =>
      value === undefined ? [] : [` ${key}=${toJson(value)}`],
    );
    const text = message.replaceAll(/[\r\n]+/g, " ");
    return `${new Date().toISOString()} ${lineLevel.toUpperCase().padEnd(5)} ${text}${pairs.join("")}`;
  });
}

/** A logger that writes nothing. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** `logger` with `fields` on every line, by its own `child` where it has one. */
export function withFields(logger: Logger, fields: LogFields): Logger {
  if (logger.child !== undefined) return logger.child(fields);
  return {
    debug: (message, more) => logger.debug(message, { ...fields, ...more }),
    info: (message, more) => logger.info(message, { ...fields, ...more }),
    warn: (message, more) => logger.warn(message, { ...fields, ...more }),
    error: (message, more) => logger.error(message, { ...fields, ...more }),
  };
}

function streamLogger(stream: LogStream, least: LogLevel, format: Format): Logger {
  const write =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}): void => {
      if (LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(least)) stream.write(`${format(level, message, fields)}\n`);
    };
  return { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
}

function toJson(value: unknown): string {
  try {
    return JSON.stringify(value, (_key, part: unknown) => plain(part)) ?? "null";
  } catch {
    // A cycle in a field must not lose the line.
    return JSON.stringify(String(value));
  }
}

function plain(value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (!(value instanceof Error)) return value;
  const { name, message, stack, cause } = value;
  return {
    name,
    message,
    ...("code" in value ? { code: value.code } : {}),
    stack,
    ...(cause === undefined ? {} : { cause }),
  };
}
