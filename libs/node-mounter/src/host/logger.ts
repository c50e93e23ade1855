/** Where the library writes what an operator should know. Any of the usual loggers fits. */
export interface Logger {
  /** What is done and goes as it should. */
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  /** What goes on although something was not as it should be. */
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
}
