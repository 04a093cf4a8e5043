/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/swn/wire.h"

static const struct {
	uint32_t werror;
	const char *name;
} werror_names[] = {
	{SWN_SUCCESS, "SUCCESS"},
	{SWN_ERROR_ACCESS_DENIED, "ERROR_ACCESS_DENIED"},
	{8, "ERROR_NOT_ENOUGH_MEMORY"}, /* of Samba's server */
	{SWN_ERROR_OUTOFMEMORY, "ERROR_OUTOFMEMORY"},
	{SWN_ERROR_INVALID_PARAMETER, "ERROR_INVALID_PARAMETER"},
	{SWN_ERROR_NO_MORE_ITEMS, "ERROR_NO_MORE_ITEMS"},
	{SWN_ERROR_NOT_FOUND, "ERROR_NOT_FOUND"},
	{SWN_ERROR_NOT_AUTHENTICATED, "ERROR_NOT_AUTHENTICATED"},
	{SWN_ERROR_REVISION_MISMATCH, "ERROR_REVISION_MISMATCH"},
	{SWN_ERROR_NO_SYSTEM_RESOURCES, "ERROR_NO_SYSTEM_RESOURCES"},
	{SWN_ERROR_TIMEOUT, "ERROR_TIMEOUT"},
	{SWN_ERROR_INVALID_STATE, "ERROR_INVALID_STATE"},
};

const char *swn_werror_name(uint32_t werror)
{
	for (size_t i = 0; i < sizeof(werror_names) / sizeof(werror_names[0]); i++) {
		if (werror_names[i].werror == werror) {
			return werror_names[i].name;
		}
	}
	return "ERROR_?";
}

const char *swn_message_type_name(uint32_t type)
{
	static const char *const names[] = {
		[SWN_RESOURCE_CHANGE] = "RESOURCE_CHANGE",
		[SWN_CLIENT_MOVE] = "CLIENT_MOVE",
		[SWN_SHARE_MOVE] = "SHARE_MOVE",
		[SWN_IP_CHANGE] = "IP_CHANGE",
	};

	if (type >= sizeof(names) / sizeof(names[0]) || names[type] == NULL) {
		return "UNKNOWN";
	}
	return names[type];
}
