/** Where the agent of a node takes shell commands. */
export const COMMAND_PORT = 9000;

/** Where the agent of a node hands connections on to the socket of its plugin. */
export const CSI_PORT = 9001;

/** What the agent tells of a command, a line of JSON each. */
export type CommandEvent = { readonly out: string } | { readonly err: string } | { readonly exit: number | string };

/** What the agent prints once the node's plugin serves. */
export const READY = "the node is ready";
