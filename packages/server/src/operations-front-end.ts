import type { ServerResponse } from "node:http";
import type { FrontEnd } from "./front-end.ts";
import type { Metrics } from "./metrics.ts";

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
