"use server";

import { adminAction } from "@/lib/auth/action";
import { inviteInput, personInput, roleInput } from "@/lib/staff/input";
import { changeRole, deactivateStaff, inviteStaff, issueStaffLink, reactivateStaff } from "@/lib/staff/service";

export const invitePersonAction = adminAction("staff.edit", inviteInput, async (ctx, input) => {
  const { link } = await inviteStaff(ctx, input);
  return { message: `${input.name} is invited. Copy the link now.`, secret: link };
});

export const newLinkAction = adminAction("staff.edit", personInput, async (ctx, input) => {
  const { link } = await issueStaffLink(ctx, input);
  return { message: "The link is made. Copy it now.", secret: link };
});

export const changeRoleAction = adminAction("staff.edit", roleInput, async (ctx, input) => {
  await changeRole(ctx, input);
  return { message: "The role is changed." };
});

export const deactivateAction = adminAction("staff.edit", personInput, async (ctx, input) => {
  await deactivateStaff(ctx, input);
  return { message: "The person is deactivated." };
});

export const reactivateAction = adminAction("staff.edit", personInput, async (ctx, input) => {
  await reactivateStaff(ctx, input);
  return { message: "The person is let in again." };
});
