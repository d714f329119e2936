import { describe, expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { failure } from "@/test/staff";
import { checkReceiverUrl, isPublicAddress, pinAddress, RefusedAddress } from "./address";

useTestDatabase();

const refused = async (url: string) => (await failure((async () => checkReceiverUrl(url, "push_notification_config.url"))())).code;
const resolvesTo = (...addresses: string[]) => async () => addresses;

describe("addresses that others give us", () => {
  test("public https addresses pass", () => {
    expect(checkReceiverUrl("https://hooks.buyer.example/a?b=c", "url").host).toBe("hooks.buyer.example");
    expect(checkReceiverUrl("https://93.184.216.34/x", "url").hostname).toBe("93.184.216.34");
    expect(checkReceiverUrl("https://[2606:2800:220:1::1]:8443/x", "url").hostname).toBe("[2606:2800:220:1::1]");
  });

  test.each([
    "not a url", "ftp://hooks.example/", "javascript:alert(1)", "http://hooks.example/", "https://user:secret@hooks.example/", "https://user@hooks.example/",
    "https://10.0.0.1/", "https://172.16.3.4/", "https://192.168.1.1/", "https://169.254.169.254/latest/meta-data", "https://100.64.0.1/", "https://0.0.0.0/", "https://0/",
    "https://255.255.255.255/", "https://224.0.0.1/", "https://198.18.0.1/", "https://192.0.2.7/",
    "https://167772161/", "https://0x0a000001/", "https://012.0.0.1/", "https://10.1/",
    "https://[::]/", "https://[fe80::1]/", "https://[fc00::1]/", "https://[fd12:3456::1]/", "https://[ff02::1]/", "https://[::ffff:10.0.0.1]/", "https://[::ffff:a9fe:a9fe]/",
    "https://[64:ff9b::a00:1]/", "https://[2002:a00:1::]/", "https://[2001:db8::1]/", "https://[2001::1]/",
    "https://intranet/", "https://db.localhost/",
  ])("refused: %s", async (url) => {
    expect(await refused(url)).toBe("VALIDATION_ERROR");
  });

  test("loopback exists in demo mode, by its own names only", async () => {
    for (const url of ["http://127.0.0.1:9000/x", "http://localhost:9000/x", "http://[::1]:9000/x", "http://2130706433/"]) expect(checkReceiverUrl(url, "url").protocol).toBe("http:");
    expect(await pinAddress(new URL("http://127.0.0.1:9000/"), resolvesTo())).toBe("127.0.0.1");
    expect(await pinAddress(new URL("http://localhost:9000/"), resolvesTo("127.0.0.1"))).toBe("127.0.0.1");
    await expect(pinAddress(new URL("http://localhost:9000/"), resolvesTo("127.0.0.1", "10.0.0.1"))).rejects.toThrow(RefusedAddress);
    await expect(pinAddress(new URL("https://evil.example/"), resolvesTo("127.0.0.1"))).rejects.toThrow(RefusedAddress);
  });

  test.each(["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", "::", "0.0.0.0", "10.1.2.3", "169.254.169.254", "fe80::1%eth0", "fd00::1", "100.100.100.100", "::ffff:192.168.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "not an address"])("a name that resolves to %s is not called", async (address) => {
    expect(isPublicAddress(address)).toBe(false);
    await expect(pinAddress(new URL("https://rebinding.example/"), resolvesTo(address))).rejects.toThrow(RefusedAddress);
    await expect(pinAddress(new URL("https://rebinding.example/"), resolvesTo("93.184.216.34", address))).rejects.toThrow(RefusedAddress);
  });

  test("the connection goes to an address that was checked", async () => {
    expect(await pinAddress(new URL("https://hooks.example/"), resolvesTo("93.184.216.34", "2606:2800:220:1::1"))).toBe("93.184.216.34");
    await expect(pinAddress(new URL("https://hooks.example/"), resolvesTo())).rejects.toThrow("has no address");
  });
});
