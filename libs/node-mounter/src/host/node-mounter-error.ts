/** What every error of this library is: `code` says the kind, the message which object, why, and what to do about it. */
export abstract class NodeMounterError<Code extends string = string> extends Error {
  /** One of the codes of its class. */
  readonly code: Code;

  constructor(code: Code, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
