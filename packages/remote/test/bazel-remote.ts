export { bazelRemoteProgram, startBazelRemote } from "../../../tools/bazel-remote.mjs";
