import type { ServerResponse } from "node:http";
import type { FrontEnd } from "./front-end.ts";
import type { Metrics } from "./metrics.ts";

/** What the server counts; each front end adds its own outcomes as labels. */
export const metricHelp: Readonly<Record<string, string>> = {
  cuenv_server_requests_total: "Requests that were answered, by front end, route and status.",
  cuenv_server_artifact_reads_total: "Artifacts that were asked for, by outcome.",
  cuenv_server_artifact_writes_total: "Artifacts that were sent, by outcome.",
  cuenv_server_sent_bytes_total: "Bytes of artifacts that were sent.",
  cuenv_server_received_bytes_total: "Bytes of artifacts that were stored.",
  cuenv_server_client_events_total: "Hits and misses as clients report them.",
};

/** `/healthz`: the process answers. `/readyz`: it wants requests. `/metrics`: Prometheus. None of them needs a token, or tells names. */
export function createOperationsFrontEnd(metrics: Metrics, isReady: () => boolean): FrontEnd {
  const pages: Readonly<Record<string, (response: ServerResponse) => void>> = {
    healthz: (response) => answerText(response, 200, "ok\n"),
    readyz: (response) =>
      isReady() ? answerText(response, 200, "ready\n") : answerText(response, 503, "draining\n"),
    metrics: (response) =>
      answerText(response, 200, metrics.text(), "text/plain; version=0.0.4; charset=utf-8"),
  };
  return {
    name: "operations",
    route(method, { segments }) {
      const [name = "", ...more] = segments;
      const answer = Object.hasOwn(pages, name) ? pages[name] : undefined;
      if (answer === undefined || more.length > 0 || (method !== "GET" && method !== "HEAD"))
        return undefined;
      return { name, handle: ({ response }) => answer(response) };
    },
    fail: ({ response }) => answerText(response, 503, "unavailable\n"),
  };
}

export function answerText(
  response: ServerResponse,
  status: number,
  text: string,
  type = "text/plain; charset=utf-8",
): void {
  const bytes = Buffer.from(text);
  response.writeHead(status, { "content-type": type, "content-length": bytes.length });
  response.end(bytes);
}
