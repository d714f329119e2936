declare module "autocannon" {
  type Result = { requests: { average: number }; latency: { p50: number; p99: number }; errors: number; non2xx: number; mismatches: number };
  export default function autocannon(options: Record<string, unknown>): Promise<Result>;
}
