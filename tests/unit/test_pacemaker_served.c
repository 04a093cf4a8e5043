/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Net names and shares, as a CIB and smb.conf tell them. */
#include "tests/unit/pacemaker_fixture.h"

#include "backends/pacemaker/intents.h"
#include "backends/pacemaker/managed.h"
#include "backends/pacemaker/served.h"

#define MOUNT(id, directory)                                                                       \
	"<primitive id='" id "' class='ocf' provider='heartbeat' type='Filesystem'>"               \
	"<instance_attributes id='" id "-a'><nvpair id='" id                                       \
	"-d' name='directory' value='" directory "'/></instance_attributes></primitive>"
#define NET_NAMES(id, names)                                                                       \
	"<meta_attributes id='" id "-m'><nvpair id='" id                                           \
	"-n' name='witness-net-names' value='" names "'/></meta_attributes>"
#define TOGETHER(id, a, b)                                                                         \
	"<rsc_colocation id='" id "' rsc='" a "' with-rsc='" b "' score='INFINITY'/>"

static void add_rsc(xmlDoc *doc, const char *text)
{
	cib_add(doc, "//resources", text);
}

static void constrain(xmlDoc *doc, const char *text)
{
	cib_add(doc, "//constraints", text);
}

/* Record that a resource was started on a node, or stopped there. */
static void record(xmlDoc *doc, const char *rsc, const char *node, const char *operation)
{
	char xpath[128], text[512];

	snprintf(xpath, sizeof(xpath), "//node_state[@uname='%s']/lrm/lrm_resources", node);
	snprintf(text, sizeof(text),
		 "<lrm_resource id='%s' type='Filesystem' class='ocf' provider='heartbeat'>"
		 "<lrm_rsc_op id='%s_last_0' operation_key='%s_%s_0' operation='%s' call-id='90' "
		 "rc-code='0' op-status='0' interval='0' last-rc-change='1795273802' "
		 "transition-key='1:0:0:c50166c2-31e3-40e2-a368-e52de6be3232' "
		 "transition-magic='0:0;1:0:0:c50166c2-31e3-40e2-a368-e52de6be3232'/></"
		 "lrm_resource>",
		 rsc, rsc, rsc, operation, operation);
	cib_add(doc, xpath, text);
}

/* Judge a CIB with an smb.conf and witness.share_resources; the document is freed. */
static struct placement *serve(xmlDoc *doc, const char *smb_conf, const char *const *share_rscs,
			       struct intents **intents)
{
	const struct placement_local local = {.id = 1};
	const xmlNode *cib = xmlDocGetRootElement(doc);
	struct served_config config = {.share_rscs = share_rscs};
	struct relations *relations = NULL;
	struct placement *p = NULL;
	struct smbconf *smb = NULL;
	char *why = NULL;

	assert_int_equal(placement_build(NULL, cib, &local, &p), 0);
	assert_int_equal(relations_load(p, cib, &relations), 0);
	if (smb_conf != NULL) {
		assert_int_equal(smbconf_parse(p, smb_conf, strlen(smb_conf), &smb), 0);
		config.smb = smb;
	}
	assert_int_equal(served_apply(cib, relations, &config, p), 0);
	talloc_free(smb);
	managed_apply(cib, relations, p);
	if (intents != NULL) {
		assert_int_equal(intents_read(p, cib, relations, p, 0, intents), 0);
	}
	talloc_free(relations);
	xmlFreeDoc(doc);
	assert_int_equal(cluster_state_check(p, p->state, &why), 0);
	return p;
}

/* The share in words: "n1 group3 10.77.0.103 fd77::77:103"; "-" for nobody, "none" without the share. */
static void assert_share(const struct placement *p, const char *name, const char *want)
{
	const struct cluster_share *share = cluster_state_share(p->state, name);
	char text[512] = "none", ip[IPADDR_STRLEN];

	if (share != NULL) {
		snprintf(text, sizeof(text), "%s %s", share->node != NULL ? share->node : "-",
			 share->group);
	}
	for (size_t i = 0; share != NULL && i < share->num_addrs; i++) {
		strcat(text, " ");
		strcat(text, ipaddr_format(&share->addrs[i], ip));
	}
	assert_string_equal(text, want);
}

static void assert_names(const struct placement *p, const char *ip, const char *want)
{
	const struct cluster_addr *addr = addr_of(p->state, ip);
	char text[256] = "";

	for (size_t i = 0; addr->net_names != NULL && addr->net_names[i] != NULL; i++) {
		strcat(text, i > 0 ? " " : "");
		strcat(text, addr->net_names[i]);
	}
	assert_string_equal(text, want);
}

static void nothing_is_found_where_nothing_is_said(void **arg)
{
	struct placement *p =
		serve(cib_load("move-1-before"), "[data]\npath = /srv/data\n", NULL, NULL);

	assert_int_equal(p->state->num_shares, 0);
	assert_int_equal(p->state->num_named, 0);
	assert_string_equal(addr_of(p->state, VIP3)->resource, "vip3");
	talloc_free(p);
}

static void shares_below_a_mount_are_where_it_is(void **arg)
{
	xmlDoc *doc = cib_load("move-1-before");
	struct placement *p;

	add_rsc(doc, MOUNT("fs", "//srv/data/"));
	add_rsc(doc, MOUNT("fs-deep", "/srv/data/deep"));
	record(doc, "fs", "n2", "start");
	record(doc, "fs-deep", "n1", "start");
	p = serve(doc,
		  "[data]\npath = /srv/data\n[sub dir]\npath = /srv//data/sub/\n"
		  "[deep]\npath = /srv/data/deep/er\n[near]\npath = /srv/data-old\n"
		  "[above]\npath = /srv\n[macro]\npath = /srv/data/%U\n",
		  NULL, NULL);
	assert_share(p, "data", "n2 fs");
	assert_share(p, "Sub Dir", "n2 fs");
	assert_share(p, "deep", "n1 fs-deep");
	assert_share(p, "near", "none");
	assert_share(p, "above", "none");
	assert_share(p, "macro", "none");
	assert_false(addr_of(p->state, VIP2)->tied);
	talloc_free(p);
}

/* In the order of a group: mounted first, then the addresses. */
static void a_share_of_a_group_is_served_when_an_address_is_there(void **arg)
{
	static const char smb[] = "[data]\npath = /srv/data\n";
	static const char *const steps[][2] = {
		{"start", "n3 group3 " VIP3 " " VIP3_6},
		{"stop", "- group3 " VIP3 " " VIP3_6},
	};
	struct placement *p;
	xmlDoc *doc;

	for (size_t i = 0; i < 2; i++) {
		doc = cib_load("move-1-before");
		cib_add(doc, "//group", MOUNT("fs", "/srv/data"));
		record(doc, "fs", "n3", steps[i][0]);
		p = serve(doc, smb, NULL, NULL);
		assert_share(p, "data", steps[i][1]);
		assert_true(addr_of(p->state, VIP3)->tied);
		assert_true(addr_of(p->state, VIP3_6)->tied);
		assert_false(addr_of(p->state, VIP1)->tied);
		talloc_free(p);
	}
	doc = cib_load("move-1-before");
	cib_add(doc, "//group", MOUNT("fs", "/srv/data"));
	record(doc, "fs", "n2", "start"); /* the addresses are on n3 */
	p = serve(doc, smb, NULL, NULL);
	assert_share(p, "data", "- group3 " VIP3 " " VIP3_6);
	talloc_free(p);
}

static void colocation_ties_an_address_to_a_share(void **arg)
{
	static const struct {
		const char *constraint, *want;
	} rows[] = {
		{TOGETHER("c", "fs", "vip1"), "n1 fs " VIP1},
		{TOGETHER("c", "vip1", "fs"), "n1 fs " VIP1},
		{TOGETHER("c", "fs", "vip3-6"), "- fs " VIP3 " " VIP3_6}, /* a member ties all */
		{"<rsc_colocation id='c' rsc='vip1' with-rsc='fs' score='100'/>", "n1 fs"},
		{"<rsc_colocation id='c' rsc='vip1' with-rsc='fs' score='-INFINITY'/>", "n1 fs"},
		{"<rsc_colocation id='c' score='INFINITY'><resource_set id='s'>"
		 "<resource_ref id='fs'/><resource_ref id='vip1'/></resource_set></rsc_colocation>",
		 "n1 fs " VIP1},
		{TOGETHER("c", "vip1", "nothing"), "n1 fs"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		xmlDoc *doc = cib_load("move-1-before");
		struct placement *p;

		add_rsc(doc, MOUNT("fs", "/srv/data"));
		record(doc, "fs", "n1", "start");
		constrain(doc, rows[i].constraint);
		p = serve(doc, "[data]\npath = /srv/data\n", NULL, NULL);
		assert_share(p, "data", rows[i].want);
		talloc_free(p);
	}
}

#define DRBD(max)                                                                                  \
	"<clone id='drbd-clone'><meta_attributes id='dm'><nvpair id='dm1' name='promotable' "      \
	"value='true'/><nvpair id='dm2' name='promoted-max' value='" max                           \
	"'/></meta_attributes><primitive id='drbd' class='ocf' provider='linbit' type='drbd'/>"    \
	"</clone>"
#define WITH_PROMOTED(id, rsc)                                                                     \
	"<rsc_colocation id='" id "' rsc='" rsc                                                    \
	"' with-rsc='drbd-clone' with-rsc-role='Promoted' score='INFINITY'/>"

/* DRBD's way: file system and address are both where the one promoted copy is. */
static void the_promoted_role_ties_too(void **arg)
{
	static const char *const rows[][4] = {
		{DRBD("1"), WITH_PROMOTED("c1", "fs"), WITH_PROMOTED("c2", "vip1"), "n1 fs " VIP1},
		{DRBD("2"), WITH_PROMOTED("c1", "fs"), WITH_PROMOTED("c2", "vip1"), "n1 fs"},
		{DRBD("1"), WITH_PROMOTED("c1", "fs"), TOGETHER("c2", "vip1", "drbd-clone"),
		 "n1 fs"},
	};

	for (size_t i = 0; i < 3; i++) {
		xmlDoc *doc = cib_load("move-1-before");
		struct placement *p;

		add_rsc(doc, MOUNT("fs", "/srv/data"));
		add_rsc(doc, rows[i][0]);
		constrain(doc, rows[i][1]);
		constrain(doc, rows[i][2]);
		record(doc, "fs", "n1", "start");
		p = serve(doc, "[data]\npath = /srv/data\n", NULL, NULL);
		assert_share(p, "data", rows[i][3]);
		talloc_free(p);
	}
}

static void what_is_mounted_everywhere_ties_nothing(void **arg)
{
	xmlDoc *doc = cib_load("move-1-before");
	struct placement *p;

	add_rsc(doc, "<clone id='gfs-clone'>" MOUNT("gfs", "/srv/data") "</clone>");
	add_rsc(doc, MOUNT("fs", "/srv"));
	record(doc, "gfs", "n1", "start");
	record(doc, "gfs", "n2", "start");
	record(doc, "fs", "n1", "start");
	p = serve(doc, "[data]\npath = /srv/data\n[home]\npath = /srv/home\n", NULL, NULL);
	assert_share(p, "data", "none");
	assert_share(p, "home", "n1 fs");
	talloc_free(p);
}

static void a_resource_on_two_nodes_is_on_its_way(void **arg)
{
	xmlDoc *doc = cib_load("move-1-before");
	struct placement *p;

	add_rsc(doc, MOUNT("fs", "/srv/data"));
	record(doc, "fs", "n1", "start");
	record(doc, "fs", "n2", "start");
	p = serve(doc, "[data]\npath = /srv/data\n", NULL, NULL);
	assert_share(p, "data", "- fs");
	talloc_free(p);
}

static void the_smb_share_agent_names_its_share(void **arg)
{
	xmlDoc *doc = cib_load("move-1-before");
	struct placement *p;

	add_rsc(doc, "<template id='t' class='ocf' provider='heartbeat' type='smb-share'/>");
	add_rsc(doc, "<group id='g'>" MOUNT(
			     "fs", "/srv/other") "<primitive id='sh' template='t'>"
						 "<instance_attributes id='sh-a'><nvpair "
						 "id='sh-s' name='share' value='Proj X'/>"
						 "</instance_attributes></primitive></group>");
	record(doc, "sh", "n2", "start");
	p = serve(doc, "[proj x]\npath = /nowhere\n", NULL, NULL);
	assert_share(p, "proj x", "n2 g");
	talloc_free(p);
}

static void the_configuration_says_what_a_share_moves_with(void **arg)
{
	static const char *const words[] = {"data:group3",  "logs:vip1",    "logs:vip2",
					    "none:nothing", "all:fs-clone", NULL};
	xmlDoc *doc = cib_load("move-1-before");
	struct placement *p;

	add_rsc(doc, MOUNT("fs", "/srv/data"));
	add_rsc(doc, "<clone id='fs-clone'>" MOUNT("fsc", "/srv/all") "</clone>");
	record(doc, "fs", "n2", "start");
	p = serve(doc, "[data]\npath = /srv/data\n", words, NULL);
	assert_share(p, "data", "n3 group3 " VIP3 " " VIP3_6); /* and not fs */
	assert_share(p, "logs", "n1 vip1 " VIP1);
	assert_share(p, "none", "none");
	assert_share(p, "all", "none");
	talloc_free(p);
}

static void a_stop_or_death_takes_the_share_at_once(void **arg)
{
	static const char *const words[] = {"data:fs", "home:vip1", NULL};
	xmlDoc *doc = cib_load("move-1-before");
	struct placement *p;

	add_rsc(doc, MOUNT("fs", "/srv/data"));
	record(doc, "fs", "n2", "start");
	p = serve(doc, NULL, words, NULL);
	assert_share(p, "data", "n2 fs");
	assert_share(p, "home", "n1 vip1 " VIP1);
	assert_false(placement_stopped(p, "fs", "n1"));
	assert_true(placement_stopped(p, "fs", "n2"));
	assert_share(p, "data", "- fs");
	assert_false(placement_stopped(p, "fs", "n2"));
	placement_drop_node(p, 0);
	assert_share(p, "home", "- vip1 " VIP1);
	talloc_free(p);
}

/* Other addresses do not lead to it, unless somebody says so by net names. */
static void a_single_samba_ties_its_addresses(void **arg)
{
	static const struct {
		const char *type;
		bool clone, named, tied;
	} rows[] = {
		{"smbd", false, false, true},   {"smb@fs3.service", false, false, true},
		{"samba", false, false, true},  {"smbd", true, false, false},
		{"smbd", false, true, false},   {"nmbd", false, false, false},
		{"smbdx", false, false, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		xmlDoc *doc = cib_load("move-1-before");
		struct placement *p;
		char text[256];

		snprintf(text, sizeof(text), "%s<primitive id='s' class='systemd' type='%s'/>%s",
			 rows[i].clone ? "<clone id='s-clone'>" : "", rows[i].type,
			 rows[i].clone ? "</clone>" : "");
		if (rows[i].clone) {
			add_rsc(doc, text);
			constrain(doc, TOGETHER("c", "group3", "s-clone"));
		} else {
			cib_add(doc, "//group", text);
		}
		if (rows[i].named) {
			cib_add(doc, "//primitive[@id='vip1']", NET_NAMES("v1", "FS"));
		}
		p = serve(doc, NULL, NULL, NULL);
		assert_int_equal(addr_of(p->state, VIP3)->tied, rows[i].tied);
		assert_int_equal(addr_of(p->state, VIP3_6)->tied, rows[i].tied);
		assert_false(addr_of(p->state, VIP1)->tied);
		talloc_free(p);
	}
}

static void net_names_are_meta_attributes(void **arg)
{
	xmlDoc *doc = cib_load("move-1-before");
	struct placement *p;

	cib_add(doc, "//primitive[@id='vip1']", NET_NAMES("v1", "FS1, fs1.example.com"));
	cib_add(doc, "//group", NET_NAMES("g3", "FS3"));
	cib_add(doc, "//primitive[@id='vip3-6']", NET_NAMES("v3", "FS6"));
	p = serve(doc, NULL, NULL, NULL);
	assert_names(p, VIP1, "FS1 fs1.example.com");
	assert_names(p, VIP2, "");
	assert_names(p, VIP3, "FS3");
	assert_names(p, VIP3_6, "FS6"); /* its own wins */
	talloc_free(p);
}

static void net_names_reach_what_is_always_on_the_node(void **arg)
{
	xmlDoc *doc = cib_load("move-1-before");
	struct placement *p;

	add_rsc(doc, "<primitive id='smbd' class='systemd' type='smbd'>" NET_NAMES(
			     "s", "FS1") "</primitive>");
	add_rsc(doc, "<clone id='w-clone'><primitive id='w' class='ocf' provider='samba' "
		     "type='witness'/>" NET_NAMES("w", "NOT") "</clone>");
	constrain(doc, TOGETHER("c", "smbd", "vip1"));
	constrain(doc, TOGETHER("c2", "vip2", "w-clone"));
	cib_add(doc, "//group",
		"<primitive id='smbd3' class='systemd' type='smbd'>" NET_NAMES(
			"s3", "FS3") "</primitive>");
	p = serve(doc, NULL, NULL, NULL);
	assert_names(p, VIP1, "FS1");
	assert_names(p, VIP2, "");
	assert_names(p, VIP3, "FS3");
	talloc_free(p);
}

static void an_empty_net_name_is_none(void **arg)
{
	xmlDoc *doc = cib_load("move-1-before");
	struct placement *p;

	cib_add(doc, "//primitive[@id='vip1']", NET_NAMES("v1", " , "));
	p = serve(doc, NULL, NULL, NULL);
	assert_names(p, VIP1, "");
	assert_int_equal(p->state->num_named, 0);
	talloc_free(p);
}

/* Exactly one intent, for the group of the share. */
static void assert_intent(const struct intents *intents, const char *what, const char *from,
			  const char *to)
{
	assert_int_equal(intents->num, 1);
	assert_int_equal(intents->list[0].kind, BACKEND_INTENT_GROUP);
	assert_string_equal(intents->list[0].what, what);
	assert_string_equal(intents->list[0].from, from);
	if (to == NULL) {
		assert_null(intents->list[0].to);
	} else {
		assert_string_equal(intents->list[0].to, to);
	}
}

static void moves_of_shares_without_addresses_are_seen(void **arg)
{
	static const struct {
		const char *constraint, *to;
	} rows[] = {
		{"<rsc_location id='cli-prefer-fs' rsc='fs' role='Started' node='n3' "
		 "score='INFINITY'/>",
		 "n3"},
		{"<rsc_location id='cli-ban-fs-on-n2' rsc='fs' role='Started' node='n2' "
		 "score='-INFINITY'/>",
		 NULL},
		{"<rsc_location id='standing' rsc='fs' node='n2' score='10'/>", ""},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		xmlDoc *doc = cib_load("move-1-before");
		struct intents *intents = NULL;
		struct placement *p;

		add_rsc(doc, MOUNT("fs", "/srv/data"));
		record(doc, "fs", "n2", "start");
		constrain(doc, rows[i].constraint);
		p = serve(doc, "[data]\npath = /srv/data\n[more]\npath = /srv/data/more\n", NULL,
			  &intents);
		if (rows[i].to != NULL && rows[i].to[0] == '\0') {
			assert_int_equal(intents->num, 0);
		} else {
			assert_intent(intents, "fs", "n2", rows[i].to);
		}
		talloc_free(p);
	}
}

static void a_group_with_both_moves_once(void **arg)
{
	xmlDoc *doc = cib_load("move-1-before");
	struct intents *intents = NULL;
	struct placement *p;

	cib_add(doc, "//group", MOUNT("fs", "/srv/data"));
	record(doc, "fs", "n3", "start");
	constrain(doc, "<rsc_location id='cli-prefer-group3' rsc='group3' role='Started' node='n1' "
		       "score='INFINITY'/>");
	p = serve(doc, "[data]\npath = /srv/data\n", NULL, &intents);
	assert_intent(intents, "group3", "n3", "n1");
	talloc_free(p);
}

static void what_is_not_managed_does_not_move(void **arg)
{
	xmlDoc *doc = cib_load("move-1-before");
	struct intents *intents = NULL;
	struct placement *p;

	add_rsc(doc, MOUNT("fs", "/srv/data"));
	cib_add(doc, "//primitive[@id='fs']",
		"<meta_attributes id='fm'><nvpair id='fm1' name='is-managed' value='false'/>"
		"</meta_attributes>");
	record(doc, "fs", "n2", "start");
	constrain(doc, "<rsc_location id='cli-prefer-fs' rsc='fs' role='Started' node='n3' "
		       "score='INFINITY'/>");
	p = serve(doc, "[data]\npath = /srv/data\n", NULL, &intents);
	assert_true(cluster_state_share(p->state, "data")->pinned);
	assert_int_equal(intents->num, 0);
	talloc_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_found_where_nothing_is_said),
		cmocka_unit_test(shares_below_a_mount_are_where_it_is),
		cmocka_unit_test(a_share_of_a_group_is_served_when_an_address_is_there),
		cmocka_unit_test(colocation_ties_an_address_to_a_share),
		cmocka_unit_test(the_promoted_role_ties_too),
		cmocka_unit_test(what_is_mounted_everywhere_ties_nothing),
		cmocka_unit_test(a_resource_on_two_nodes_is_on_its_way),
		cmocka_unit_test(the_smb_share_agent_names_its_share),
		cmocka_unit_test(the_configuration_says_what_a_share_moves_with),
		cmocka_unit_test(a_stop_or_death_takes_the_share_at_once),
		cmocka_unit_test(a_single_samba_ties_its_addresses),
		cmocka_unit_test(net_names_are_meta_attributes),
		cmocka_unit_test(net_names_reach_what_is_always_on_the_node),
		cmocka_unit_test(an_empty_net_name_is_none),
		cmocka_unit_test(moves_of_shares_without_addresses_are_seen),
		cmocka_unit_test(a_group_with_both_moves_once),
		cmocka_unit_test(what_is_not_managed_does_not_move),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
