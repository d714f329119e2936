import { handleBuyerRequest } from "./http";

/** The buyer's door as a Next route handler, for hosts where no server.ts stands before Next. */
export async function mountBuyerDoor(request: Request): Promise<Response> {
  return (await handleBuyerRequest(request)) ?? new Response(null, { status: 404 });
}
