/** What these tests use of `memjs`, which brings no types, in the words of those that others wrote for it. */
declare module 'memjs' {
  interface ClientOptions {
    readonly retries?: number;
    readonly timeout?: number;
    readonly conntimeout?: number;
    readonly logger?: { log(...words: unknown[]): void };
  }

  export class Client {
    static create(servers: string, options?: ClientOptions): Client;
    get(key: string): Promise<{ value: Buffer; flags: Buffer | null }>;
    set(key: string, value: string | Buffer, options: { expires?: number }): Promise<boolean>;
    delete(key: string): Promise<boolean>;
    close(): void;
  }
}
