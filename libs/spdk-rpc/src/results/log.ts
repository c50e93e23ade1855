/** By flag: whether its messages of level DEBUG are written (`log_get_flags`). Each version has others. */
export type LogFlags = Readonly<Record<string, boolean>>;
