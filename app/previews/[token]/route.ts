import { mountBuyerDoor } from "@/lib/adcp/mount";

export const dynamic = "force-dynamic";

export { mountBuyerDoor as DELETE, mountBuyerDoor as GET, mountBuyerDoor as HEAD, mountBuyerDoor as OPTIONS, mountBuyerDoor as PATCH, mountBuyerDoor as POST, mountBuyerDoor as PUT };
