/** Calls to the server: with a token that is renewed in time, and streams that are read on. */

/** The server said no; `message` is for the visitor. */
export class Refusal extends Error {
  constructor(problem, status, wait) {
    super(problem.message || problem.detail || "");
    Object.assign(this, { code: problem.code, status, wait });
  }
}

/** Nobody answered: what was sent may have arrived or not. */
export class Offline extends Error {}

export class Client {
  #session;
  constructor({ api, key, kept, language }) {
    Object.assign(this, { api, key, kept, language, proof: undefined });
  }

  /** What the server says of this visitor; a new token. Calls at the same time share one. */
  session() {
    return (this.#session ||= this.#begin().finally(() => (this.#session = undefined)));
  }

  async #begin() {
    const body = { token: this.kept.get("token") || "", identity: this.proof || "" };
    let answer = await this.#fetch("POST", "session", { body: JSON.stringify(body), bearer: this.key });
    if (answer.status === 401 && body.token) {
      this.kept.set({ token: "" }); // expired for good, or renewed by somebody else
      answer = await this.#fetch("POST", "session", { body: JSON.stringify({ ...body, token: "" }), bearer: this.key });
    }
    const found = await this.#read(answer);
    this.kept.set({ token: found.token, until: Date.now() + 1000 * (found.expires_in - 60), look: found.look });
    return found;
  }

  /** The response to a call with the visitor's token. Throws Refusal and Offline. */
  async request(method, path, options = {}) {
    if (!this.kept.get("token") || Date.now() > this.kept.get("until")) await this.session();
    let answer = await this.#fetch(method, path, { ...options, bearer: this.kept.get("token") });
    if (answer.status === 401) {
      await this.session();
      answer = await this.#fetch(method, path, { ...options, bearer: this.kept.get("token") });
    }
    if (!answer.ok) await this.#read(answer);
    return answer;
  }

  async call(method, path, body, options = {}) {
    const sent = body instanceof FormData ? body : body && JSON.stringify(body);
    return this.#read(await this.request(method, path, { ...options, body: sent }));
  }

  /** Each event of a stream: its name, data and id; a comment has the name "". */
  async *events(method, path, options = {}) {
    const answer = await this.request(method, path, { ...options, headers: { Accept: "text/event-stream", ...options.headers } });
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let held = "";
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        const parts = (held + value).split("\n\n");
        held = parts.pop();
        for (const part of parts) {
          const line = (name) => part.match(new RegExp(`^${name}: (.*)$`, "m"))?.[1];
          yield { name: line("event") || "", data: JSON.parse(line("data") || "{}"), id: line("id") };
        }
      }
    } catch (error) {
      throw new Offline(error.message);
    } finally {
      reader.cancel().catch(() => {}); // it may have been cut off: there is nothing more to end
    }
  }

  async #fetch(method, path, { body, bearer, headers = {}, signal }) {
    const form = body instanceof FormData;
    try {
      return await fetch(this.api + path, {
        method, body, signal,
        cache: "no-store", credentials: "omit", referrerPolicy: "strict-origin-when-cross-origin",
        headers: {
          Authorization: `Bearer ${bearer}`, "Accept-Language": this.language,
          ...(body && !form && { "Content-Type": "application/json" }), ...headers,
        },
      });
    } catch (error) {
      throw new Offline(error.message);
    }
  }

  async #read(answer) {
    const text = await answer.text().catch((error) => { throw new Offline(error.message); });
    let found = {};
    try {
      found = text ? JSON.parse(text) : {};
    } catch {
      if (answer.ok) throw new Offline("no JSON"); // some proxy's page in between
    }
    if (answer.ok) return found;
    if (answer.status >= 502 || (answer.status === 503 && !found.code)) throw new Offline(String(answer.status));
    throw new Refusal(found, answer.status, Number(answer.headers.get("Retry-After")) || 0);
  }
}

/** Waits, or less where the network comes back. */
export const pause = (seconds) =>
  new Promise((done) => {
    const end = () => (clearTimeout(timer), removeEventListener("online", end), done());
    const timer = setTimeout(end, 1000 * seconds);
    addEventListener("online", end);
  });

/**
 * Follows a conversation until `signal` ends it: `hint(name, data)` whenever something happened. Where a
 * proxy holds streams back, by long polls.
 */
export async function follow(client, id, { hint, seen, state, signal }) {
  let polling = false, failed = 0;
  while (!signal.aborted) {
    const control = new AbortController();
    const stop = () => control.abort();
    signal.addEventListener("abort", stop);
    const query = new URLSearchParams({ conversation_id: id, ...(polling && { once: true, ...(seen() && { seen: seen() }) }) });
    let silent = !polling && setTimeout(() => ((polling = true), stop()), 8000); // not even the first byte
    const begun = Date.now();
    try {
      for await (const event of client.events("GET", `live?${query}`, { signal: control.signal })) {
        clearTimeout(silent);
        silent = failed = 0;
        state(true);
        if (event.name) hint(event.name, event.data);
        else if (polling) failed = 0;
      }
      if (Date.now() - begun < 1000) await pause(1); // nobody holds us: do not ask in a circle
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Refusal && error.status === 404) return; // deleted
      if (!polling || silent === false) {
        state(!(error instanceof Offline) || control.signal.aborted);
        await pause(Math.min(15, 0.5 * 2 ** failed++) * (0.75 + Math.random() / 2));
      }
    } finally {
      clearTimeout(silent);
      signal.removeEventListener("abort", stop);
    }
  }
}
