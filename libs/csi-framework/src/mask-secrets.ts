import { type LogFields, type Logger, withFields } from "./logger.ts";
import { elements, fieldValues, isMessage, isObject } from "./message-fields.ts";
import { type MapText, plainFields } from "./plain-fields.ts";

const STRIPPED = "***stripped***";

/** A shorter text is found everywhere, and protects nothing. */
const MIN_SECRET_LENGTH = 4;

/** The values of a message's fields that are marked `csi_secret`, the longest first. */
export function secretsOf(message: string, request: object): string[] {
  return [...new Set(collect(message, request))]
    .filter((text) => text.length >= MIN_SECRET_LENGTH)
    .sort((a, b) => b.length - a.length);
}

function collect(message: string, request: object): string[] {
  return fieldValues(message, request).flatMap((each) => {
    const { field, value } = each;
    if (field.secret) return isObject(value) ? Object.values(value).map(String) : [];
    if (!isMessage(field)) return [];
    return elements(each).flatMap((element) => (isObject(element) ? collect(field.type, element) : []));
  });
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
