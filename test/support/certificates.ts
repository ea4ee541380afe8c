import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../src/runtime/process.ts';

/** Files of an authority of the test's own and of a certificate for 127.0.0.1 that it signed. */
export interface Certificates {
  readonly ca: string;
  /** The authority's PEM. */
  readonly authority: string;
  readonly cert: string;
  readonly key: string;
}

const openssl = (...args: string[]): Promise<string> => run('openssl', args);
const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** Makes them in `directory`, good for one day. */
export async function makeCertificates(directory: string): Promise<Certificates> {
  const file = (name: string) => join(directory, name);
  const [ca, caKey, cert, key] = ['ca.pem', 'ca.key', 'cert.pem', 'cert.key'].map(file) as [
    string,
    string,
    string,
    string,
  ];
  const authority = ['-x509', ...newKey, '-subj', '/CN=test authority', '-days', '1'];
  await openssl('req', ...authority, '-keyout', caKey, '-out', ca);
  await openssl('req', ...newKey, '-subj', '/CN=127.0.0.1', '-keyout', key, '-out', file('cert.csr'));
  await writeFile(file('san'), 'subjectAltName=IP:127.0.0.1\n');
  const signing = ['-CA', ca, '-CAkey', caKey, '-CAcreateserial', '-days', '1', '-extfile', file('san')];
  await openssl('x509', '-req', '-in', file('cert.csr'), ...signing, '-out', cert);
  return { ca, authority: await readFile(ca, 'utf8'), cert, key };
}
