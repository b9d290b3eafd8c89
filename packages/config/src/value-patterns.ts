// Patterns that the reader and the JSON Schema share.

/** Letters, digits, `.`, `_`, `-`; a letter or digit first. */
export const namespacePattern: RegExp = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** `grpc://host`, `grpcs://host:9092`, `grpc://[::1]:9092`. */
export const endpointPattern: RegExp =
  /^grpcs?:\/\/(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)(?::(?:[1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d{2}|655[0-2]\d|6553[0-5]))?\/?$/;

/** Printable ASCII without spaces, as a header can carry it; `${NAME}` is a variable's value, another `${` is a mistake. */
export const authTokenPattern: RegExp =
  /^(?:[\x21-\x23\x25-\x7e]|\$(?!\{)|\$\{[A-Za-z_][A-Za-z0-9_]*\})+$/;
