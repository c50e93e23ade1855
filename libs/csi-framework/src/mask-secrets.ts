import { FIELDS } from "./gen/fields.ts";
import { type LogFields, type Logger, withFields } from "./logger.ts";
import { type MapText, plainFields } from "./plain-fields.ts";

const STRIPPED = "***stripped***";

/** A shorter text is found everywhere, and protects nothing. */
const MIN_SECRET_LENGTH = 4;

/** The fields of each request that are marked `csi_secret`, by their names in TypeScript. */
const SECRET_KEYS: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries(FIELDS).map(([message, fields]) => [
    message,
    fields.filter(({ secret }) => secret).map(({ key }) => key),
  ]),
);

/** The values of a request's fields that are marked `csi_secret`, the longest first. */
export function secretsOf(message: string, request: object): readonly string[] {
  const keys = SECRET_KEYS.get(message) ?? [];
  const values = keys.flatMap((key) => Object.values(Reflect.get(request, key) ?? {}).map(String));
  if (values.length === 0) return values;
  return [...new Set(values)].filter((text) => text.length >= MIN_SECRET_LENGTH).sort((a, b) => b.length - a.length);
}

/**
 * A logger in whose lines none of these secrets stands, wherever it came from: a driver's own lines, and the texts of
 * errors that a library has put them into.
 */
export function maskSecrets(logger: Logger, secrets: readonly string[]): Logger {
  if (secrets.length === 0) return logger;
  const mask: MapText = (text) => secrets.reduce((masked, secret) => masked.replaceAll(secret, STRIPPED), text);
  const masked = (fields: LogFields): LogFields => plainFields(fields, mask);
  return {
    debug: (message, fields = {}) => logger.debug(mask(message), masked(fields)),
    info: (message, fields = {}) => logger.info(mask(message), masked(fields)),
    warn: (message, fields = {}) => logger.warn(mask(message), masked(fields)),
    error: (message, fields = {}) => logger.error(mask(message), masked(fields)),
    child: (fields) => maskSecrets(withFields(logger, masked(fields)), secrets),
  };
}
