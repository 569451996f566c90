/**
 * What the servers of a fleet have in common, whoever wrote them: a folder of files, a port, and an answer to each request that holds
 * one JSON object with their own words on the connection.
 */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startServerProcess, type ServerProcess, type ServerProcessOptions } from '../../support/peers.js';

export interface FleetServer {
  readonly name: string;
  readonly port: number;
  /** What it says of a connection that resumed a session, and of any other. */
  readonly resumedWord: string;
  readonly fullWord: string;
  stop(): Promise<void>;
}

interface FolderServerOptions extends Pick<ServerProcessOptions, 'command' | 'ready'> {
  readonly files: Readonly<Record<string, string | Uint8Array>>;
  /** Given the folder, which is the working directory too. */
  readonly arguments: (folder: string) => readonly string[];
  /** That its configuration names. */
  readonly port: number;
}

/** A server process with a temporary folder of its own, which `stop` removes. */
export interface FolderServer extends ServerProcess {
  /** At once: whoever reads it meanwhile gets all of the old one or of the new one. */
  replaceFile(file: string, content: string | Uint8Array): void;
}

export async function startInFolder(options: FolderServerOptions): Promise<FolderServer> {
  const folder = mkdtempSync(join(tmpdir(), 'tls-resume-fleet-'));
  const replaceFile = (file: string, content: string | Uint8Array) => {
    writeFileSync(join(folder, `${file}.new`), content, { mode: 0o600 });
    renameSync(join(folder, `${file}.new`), join(folder, file));
  };
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    for (const [file, content] of Object.entries(options.files)) replaceFile(file, content);
    const process = await startServerProcess({ ...options, arguments: () => options.arguments(folder), cwd: folder });
    return { ...process, replaceFile, stop: () => process.stop().finally(remove) };
  } catch (error) {
    remove();
    throw error;
  }
}
