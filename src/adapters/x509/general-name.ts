/**
 * GeneralName (RFC 5280 4.2.1.6), and which names lie in the subtree of a name constraint (4.2.1.10).
 *
 * The surprising thing: what has no rules here, or breaks them, is in every excluded subtree and in no permitted one, so that
 * a name that is not understood never passes a constraint on names of its kind.
 */
import { content, contextTag, fail, items, rawBytes, type Asn1 } from './asn1.js';

export type GeneralName =
  /** Lower case. In a subtree, empty means every name. */
  | { readonly tag: typeof tags.dNSName; readonly name: string }
  /** In a subtree, address and mask one after the other. */
  | { readonly tag: typeof tags.iPAddress; readonly address: Uint8Array }
  /** Relative distinguished names as DER, outermost first. */
  | { readonly tag: typeof tags.directoryName; readonly rdns: readonly Buffer[] }
  /** A type without rules here, or a name that breaks them. */
  | { readonly tag: number; readonly unusable: true };

export const tags = { dNSName: 2, directoryName: 4, iPAddress: 7 } as const;

/** The names in a subjectAltName. */
export function readNames(value: Asn1 | undefined): GeneralName[] {
  return items(value).map((name) => {
    const tag = tagOf(name);
    const unusable = { tag, unusable: true } as const;
    if (tag === tags.directoryName) return readDirectoryName(name);
    if (tag === tags.dNSName) {
      const text = dnsText(name);
      return dnsName.test(text) ? { tag, name: text } : unusable;
    }
    if (tag !== tags.iPAddress) return unusable;
    const address = content(name);
    return address.length === 4 || address.length === 16 ? { tag, address } : unusable;
  });
}

/** The base of a GeneralSubtree. Throws for one that no name could be judged by. */
export function readSubtree(value: Asn1): GeneralName {
  const tag = tagOf(value);
  if (tag === tags.directoryName) return readDirectoryName(value);
  if (tag === tags.dNSName) {
    const name = dnsText(value);
    return name === '' || dnsSubtree.test(name) ? { tag, name } : fail('a dNSName constraint that is no domain');
  }
  if (tag !== tags.iPAddress) return { tag, unusable: true };
  const address = content(value);
  const half = address.length / 2;
  const mask = [...address.subarray(half)].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return (half === 4 || half === 16) && /^1*0*$/.test(mask)
    ? { tag, address }
    : fail('an iPAddress constraint that is no address and mask');
}

/** A directoryName of a Name. */
export function directoryName(name: Asn1): GeneralName {
  return { tag: tags.directoryName, rdns: items(name).map(rawBytes) };
}

function readDirectoryName(value: Asn1): GeneralName {
  const [name] = items(value);
  return name === undefined ? fail('a directoryName without a name') : directoryName(name);
}

function tagOf(value: Asn1): number {
  return contextTag(value) ?? fail('a GeneralName without a tag of its own');
}

function dnsText(value: Asn1): string {
  return Buffer.from(content(value)).toString('latin1').toLowerCase();
}

/** RFC 1034 3.5, with the underscores that are in use. A wildcard is the whole left-most label. */
const dnsName = /^(?=.{1,253}$)(?:\*\.)?[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*$/;
const dnsSubtree = /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*$/;

/** Whether a name must be taken to lie in a subtree of its own type, which is excluded or permitted. */
export function isWithin(name: GeneralName, subtree: GeneralName, excluded: boolean): boolean {
  if ('name' in subtree && 'name' in name) return isDomainWithin(name.name, subtree.name, excluded);
  if ('address' in subtree && 'address' in name) return isAddressWithin(name.address, subtree.address);
  // One name can be encoded in many ways, so that different bytes prove no difference.
  if ('rdns' in subtree && 'rdns' in name && !excluded)
    return subtree.rdns.every((rdn, i) => name.rdns[i]?.equals(rdn));
  return excluded;
}

/** A wildcard stands for many names. They are permitted if all of them are, and excluded if one of them is. */
function isDomainWithin(name: string, subtree: string, excluded: boolean): boolean {
  if (subtree === '' || name === subtree || name.endsWith(`.${subtree}`)) return true;
  if (!excluded || !name.startsWith('*.')) return false;
  const [label = '', ...parent] = subtree.split('.');
  return label !== '' && parent.join('.') === name.slice(2);
}

function isAddressWithin(address: Uint8Array, subtree: Uint8Array): boolean {
  const { length } = address;
  if (subtree.length !== 2 * length) return false;
  return address.every((byte, i) => ((byte ^ (subtree[i] ?? 0)) & (subtree[length + i] ?? 0)) === 0);
}
