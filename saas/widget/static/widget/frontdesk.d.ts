/** Types of the JavaScript API that widget.js puts on the page as `window.Frontdesk`. */

export interface Said {
  id: string;
  author: "bot" | "agent";
  text: string;
}

export interface Standing {
  state: "bot" | "waiting" | "agent" | "closed" | undefined;
  /** The place in the queue, from 1 on, while it waits. */
  position: number | null | undefined;
  /** Who answers. */
  agent: string | undefined;
}

export interface Events {
  open: undefined;
  close: undefined;
  message: Said;
  unread: number;
  state: Standing;
}

export interface FrontdeskApi {
  /** Open the chat, with a text to begin with in its field. */
  open(text?: string): void;
  close(): void;
  /** Say who the visitor is: a JWT (HS256) of your server's, with `sub` and `exp`. */
  identify(proof: string): void;
  /** Forget the visitor on this device; what was said is kept. */
  forget(): void;
  /** Add a language, or change words of one. */
  words(language: string, table: Record<string, string>): void;
  on<E extends keyof Events>(event: E, listener: (detail: Events[E]) => void): FrontdeskApi;
  /** Another widget on the page, by its key. */
  of(key: string): FrontdeskApi | undefined;
}

/** Before widget.js has come, calls wait in an array: `(window.Frontdesk ||= []).push(["open"])`. */
export type Waiting = [method: keyof FrontdeskApi, ...parts: unknown[]][];

declare global {
  interface Window {
    Frontdesk: FrontdeskApi & Waiting;
    FrontdeskWidgets: Map<string, FrontdeskApi>;
  }
}
