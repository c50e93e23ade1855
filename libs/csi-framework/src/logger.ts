import { type DestinationStream, type Logger as PinoLogger, pino } from "pino";
import pretty from "pino-pretty";

import { plainFields } from "./plain-fields.ts";

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

/** Writes one JSON object a line: `level`, `time`, the fields, `message`. `level` (default "info") is the least written. */
export function jsonLogger(stream: LogStream, level: LogLevel = "info"): Logger {
  return pinoLogger(createPino(stream, level));
}

/** Writes lines for people: time, level, message, and the fields below. `level` (default "info") is the least written. */
export function textLogger(stream: LogStream, level: LogLevel = "info"): Logger {
  const destination = { write: (text: string): void => void stream.write(text) };
  const lines = pretty.prettyFactory({
    messageKey: "message",
    translateTime: "SYS:HH:MM:ss.l",
    singleLine: true,
    errorLikeObjectKeys: [],
    customLevels: { debug: 20, info: 30, warn: 40, error: 50 },
  });
  return pinoLogger(createPino({ write: (json: string): void => destination.write(lines(json)) }, level));
}

/** A logger that writes nothing. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** A pino logger as the framework's. */
export function pinoLogger(logger: PinoLogger): Logger {
  return {
    debug: (message, fields = {}) => logger.debug(fields, message),
    info: (message, fields = {}) => logger.info(fields, message),
    warn: (message, fields = {}) => logger.warn(fields, message),
    error: (message, fields = {}) => logger.error(fields, message),
    child: (fields) => pinoLogger(logger.child(plainFields(fields))),
  };
}

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

function createPino(stream: LogStream, level: LogLevel): PinoLogger {
  const destination: DestinationStream = { write: (text) => void stream.write(text) };
  const options = {
    level,
    base: null,
    messageKey: "message",
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }), log: (fields: object) => plainFields(fields) },
  };
  return pino(options, destination);
}
