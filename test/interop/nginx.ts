/** `nginx` with a folder of its own, on a free loopback port, that answers with what it thinks of the connection. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { authority, identities } from '../support/identities.js';
import { freePort, startServerProcess, type Peer, type ServerProcess } from '../support/peers.js';

export interface Nginx {
  readonly port: number;
  /** Ends it and removes its folder. */
  stop(): Promise<void>;
}

/** What a page of it says. */
export interface NginxView {
  readonly protocol: string;
  readonly cipher: string;
  /** `r` or `.`. */
  readonly reused: string;
  /** `1` while the request came as early data. */
  readonly earlyData: string;
  /** `SUCCESS`, or `NONE` where no certificate was shown. */
  readonly verified: string;
}

/** `directives` go into its server block. */
export async function startNginx({ path }: Peer, directives = ''): Promise<Nginx> {
  const folder = mkdtempSync(join(tmpdir(), 'tls-resume-nginx-'));
  const port = await freePort();
  mkdirSync(join(folder, 'logs'));
  writeFileSync(join(folder, 'cert.pem'), identities.ecdsa.cert);
  writeFileSync(join(folder, 'cert.key'), identities.ecdsa.key);
  writeFileSync(join(folder, 'ca.pem'), authority.cert);
  writeFileSync(join(folder, 'nginx.conf'), configuration(port, directives));
  let server: ServerProcess;
  try {
    server = await startServerProcess({
      command: path,
      arguments: () => ['-p', folder, '-c', 'nginx.conf', '-e', 'stderr'],
      ready: /start worker process(?:es)?$/m,
    });
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  return {
    port,
    async stop() {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const page = `{"protocol":"$ssl_protocol","cipher":"$ssl_cipher","reused":"$ssl_session_reused","earlyData":"$ssl_early_data","verified":"$ssl_client_verify"}`;

const configuration = (port: number, directives: string) => `
daemon off;
pid nginx.pid;
error_log stderr notice;
worker_processes 1;
events {}
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  server {
    listen 127.0.0.1:${port} ssl;
    server_name example.test;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_certificate cert.pem;
    ssl_certificate_key cert.key;
    ssl_session_cache shared:tls:1m;
    ${directives}
    location / { return 200 '${page}'; }
  }
}
`;
