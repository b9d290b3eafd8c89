import { create, toBinary } from "@bufbuild/protobuf";
import {
  HealthCheckRequestSchema,
  type HealthCheckResponse,
  HealthCheckResponse_ServingStatus as Serving,
  HealthCheckResponseSchema,
} from "@cuenv/reapi/messages";
import { setTimeout as delay } from "node:timers/promises";
import type { GrpcCall, MessageParts, StreamedMessage } from "../grpc/grpc-method.ts";
import { GrpcError } from "../grpc/grpc-status.ts";
import { decodeRequest } from "./decode-request.ts";

/** A watcher is told of a change within (ms). */
const watchMs = 500;

/** Whether the server takes calls. It needs no token: who balances load has none. `services`: those that are served. */
export interface Health {
  check(request: Buffer): Promise<MessageParts>;
  watch(request: Buffer, call: GrpcCall): AsyncGenerator<StreamedMessage>;
}

export function createHealth(isReady: () => boolean, services: () => ReadonlySet<string>): Health {
  const isKnown = (service: string): boolean => service === "" || services().has(service);
  const now = (): Serving => (isReady() ? Serving.SERVING : Serving.NOT_SERVING);
  return {
    async check(request) {
      const { service } = decodeRequest(HealthCheckRequestSchema, request);
      if (!isKnown(service)) throw new GrpcError("NOT_FOUND", `there is no service ${service}`);
      return answer(now());
    },
    async *watch(request, { signal }) {
      const { service } = decodeRequest(HealthCheckRequestSchema, request);
      const look = (): Serving => (isKnown(service) ? now() : Serving.SERVICE_UNKNOWN);
      let told: Serving | undefined;
      while (!signal.aborted) {
        const isEnding = !isReady();
        const status = look();
        if (status !== told) yield { parts: answer(status) };
        told = status;
        // The server ends, and would wait for a watcher that waits for it.
        if (isEnding) return;
        await delay(watchMs, undefined, { signal, ref: false }).catch(() => undefined);
      }
    },
  };
}

function answer(status: HealthCheckResponse["status"]): MessageParts {
  const message = create(HealthCheckResponseSchema, { status });
  return [toBinary(HealthCheckResponseSchema, message)];
}
