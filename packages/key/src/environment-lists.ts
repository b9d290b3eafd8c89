/**
 * Variables that a cached task sees though they are not in its key: without them programs do not start, find
 * their own caches and credentials, or know their terminal; and with any of them in the key no two people would
 * share an entry. docs/key.md gives the reason for each group.
 */
export const passThroughVariables: readonly string[] = [
  // Which programs run, and who runs them. What a tool says of itself belongs into `runtime`.
  "PATH",
  "HOME",
  "USER",
  "LOGNAME",
  "SHELL",
  // The terminal, and colours.
  "TERM",
  "COLORTERM",
  "TERM_PROGRAM",
  "COLUMNS",
  "LINES",
  "NO_COLOR",
  "FORCE_COLOR",
  "CLICOLOR",
  "CLICOLOR_FORCE",
  // Scratch space.
  "TMPDIR",
  "TEMP",
  "TMP",
  // Language and time zone: left out, the system's own settings would show through, equally undeclared.
  "LANG",
  "LANGUAGE",
  "LC_*",
  "TZ",
  // The network: proxies and extra certificates, in both spellings.
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "FTP_PROXY",
  "ALL_PROXY",
  "NO_PROXY",
  "http_proxy",
  "https_proxy",
  "ftp_proxy",
  "all_proxy",
  "no_proxy",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  "NIX_SSL_CERT_FILE",
  "CURL_CA_BUNDLE",
  "REQUESTS_CA_BUNDLE",
  "NODE_EXTRA_CA_CERTS",
  // Whether a person is watching: tools ask questions without it.
  "CI",
  // Agents and sessions.
  "SSH_AUTH_SOCK",
  "XDG_*",
  "DISPLAY",
  "WAYLAND_DISPLAY",
  "XAUTHORITY",
  // Where tool managers keep their tools and caches; images set them for everybody.
  "CARGO_HOME",
  "RUSTUP_HOME",
  "GOPATH",
  "GOCACHE",
  "GOMODCACHE",
  "JAVA_HOME",
  "SDKMAN_DIR",
  "NVM_DIR",
  "VOLTA_HOME",
  "PNPM_HOME",
  "COREPACK_HOME",
  "BUN_INSTALL",
  "DENO_DIR",
  "PYENV_ROOT",
  "RBENV_ROOT",
  "ASDF_DIR",
  "ASDF_DATA_DIR",
  "MISE_DATA_DIR",
  "PLAYWRIGHT_BROWSERS_PATH",
  // Windows does not start programs without these.
  "Path",
  "PATHEXT",
  "ComSpec",
  "COMSPEC",
  "SystemRoot",
  "SYSTEMROOT",
  "SystemDrive",
  "windir",
  "USERNAME",
  "USERPROFILE",
  "HOMEDRIVE",
  "HOMEPATH",
  "APPDATA",
  "LOCALAPPDATA",
  "ProgramData",
  "ProgramFiles",
  "ProgramFiles(x86)",
];

/**
 * Variables that load code into every program. They are never passed on undeclared, not even by `envMode: "loose"`: a
 * task sees them when they are in its key.
 */
export const loaderVariables: readonly string[] = [
  "LD_*",
  "DYLD_*",
  "GLIBC_TUNABLES",
  "NODE_OPTIONS",
  "BASH_ENV",
  "ENV",
  "PERL5OPT",
  "PYTHONSTARTUP",
  "RUBYOPT",
  "JAVA_TOOL_OPTIONS",
  "JDK_JAVA_OPTIONS",
  "_JAVA_OPTIONS",
];
