/** Headers that need no nonce; the content security policy is made per request in proxy.ts. */
const securityHeaders = [
  { key: "X-Content-Type-Options", value: "nosniff" },
  // Same-origin, not no-referrer: with that browsers send `Origin: null` with forms, and the origin check would refuse them.
  { key: "Referrer-Policy", value: "same-origin" },
  { key: "X-Frame-Options", value: "DENY" },
  { key: "Cross-Origin-Opener-Policy", value: "same-origin" },
  { key: "Permissions-Policy", value: "camera=(), geolocation=(), microphone=(), payment=(), usb=()" },
];

// Read when the server starts. Next compares a form's origin with the Host that reaches it, which a reverse proxy may have changed.
const { PUBLIC_URL } = process.env;
const allowedOrigins = PUBLIC_URL && URL.canParse(PUBLIC_URL) ? [new URL(PUBLIC_URL).host] : [];

/** @type {import('next').NextConfig} */
const config = {
  poweredByHeader: false,
  reactStrictMode: true,
  agentRules: false,
  devIndicators: false,
  // A page says its title with its first bytes, not some time later: it is the first thing that a screen reader says.
  htmlLimitedBots: /.*/,
  // Loaded by Node as they are: they read files of their own, or must be one instance in the process.
  serverExternalPackages: ["@a2a-js/sdk", "@adcp/sdk", "ajv", "ajv-formats", "@marcbachmann/cel-js", "@modelcontextprotocol/sdk", "drizzle-orm", "google-auth-library", "inngest", "next-auth", "postgres"],
  experimental: { authInterrupts: true, serverActions: { allowedOrigins } },
  // `npm test` checks all types; a start need not wait for it.
  typescript: { ignoreBuildErrors: true },
  // Browsers ask for it beside what names no icon of its own, and write into their log that it is missing.
  rewrites: async () => [{ source: "/favicon.ico", destination: "/icon.svg" }],
  headers: async () => [{ source: "/:path*", headers: securityHeaders }],
};

export default config;
