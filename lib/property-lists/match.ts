/** Whether a list holds a domain (core/identifier.json): `a.com` stands for itself, www.a.com and m.a.com; `*.a.com` for everything below it. */
export function listHolds(list: ReadonlySet<string>, domain: string): boolean {
  const name = domain.toLowerCase();
  if (list.has(name)) return true;
  const base = /^(?:www|m)\.(.+)$/.exec(name)?.[1];
  if (base !== undefined && list.has(base)) return true;
  for (let dot = name.indexOf("."); dot >= 0; dot = name.indexOf(".", dot + 1)) if (list.has(`*.${name.slice(dot + 1)}`)) return true;
  return false;
}
