# SPDX-License-Identifier: GPL-3.0-or-later
# witnessd: one Makefile, no sub-makes. Every folder's *.c are found by themselves.
#
#   make help      this list
#   make deps      install every package for building, running and testing (Debian, as root); deps-build: for
#                  building only
#   make           build into $(B); V=1 shows the commands, CI=1 makes warnings errors, BACKENDS= the modules
#   make check     deps, build, all tests; the last line is "N passed, N failed, N skipped"
#   make check-units, check-lint        the unit tests, the lint checks of tests/lint
#   make check-asan, check-valgrind     the unit tests (ASan and UBSan: also the daemon's) with a memory checker
#   make check-ctdb-new                 the CTDB lab's tests with a newer CTDB and Samba
#   make check-headers, check-sh        every header compiles alone; shellcheck for every script
#   make format    clang-format every C file
#   make bench     measures on labs, as root: all of tests/bench, or one of them by make bench-NAME; ROUNDS=10,
#                  UPDATE=docs/performance.md; tables on standard output, JSON in $(B)/bench
#   make sim       HISTORIES= simulated histories of a cluster from SEED=; sim-mutants: whether they find planted bugs
#   make fuzz      every parser for SECONDS=60, or one by make fuzz-NAME: tests/fuzz/README.md
#   make faults    random combinations of faults on both labs, as root: ROUNDS=10, SEED= to repeat; FROM= the first round
#   make demo      three witnesses on loopback, two watching clients, a move, a failure, a return; demo-pacemaker:
#                  on a real cluster in network namespaces, as root
#   make install   DESTDIR, PREFIX and the other variables below; install-client: libswnclient alone
#   make clean     remove what was built

B             ?= build
PREFIX        ?= /usr
DESTDIR       ?=
SBINDIR       ?= $(PREFIX)/sbin
MODULEDIR     ?= $(PREFIX)/lib/witnessd
MANDIR        ?= $(PREFIX)/share/man
OCFDIR        ?= /usr/lib/ocf/resource.d/samba
LIBDIR        ?= $(PREFIX)/lib
INCLUDEDIR    ?= $(PREFIX)/include
CTDBDIR       ?= /usr/share/ctdb/events/legacy
SYSCONFDIR    ?= /etc
COMPLETIONDIR ?= $(PREFIX)/share/bash-completion/completions
DOCDIR        ?= $(PREFIX)/share/doc/witnessd
SYSUSERSDIR   ?= /usr/lib/sysusers.d
TMPFILESDIR   ?= /usr/lib/tmpfiles.d
UNITDIR       ?= /usr/lib/systemd/system
PYTHON        ?= /usr/bin/python3
VERSION       := 0.1.0
BACKENDS      ?= static pacemaker ctdb

CC            ?= cc
CFLAGS        ?= -O2 -g
WERROR        ?= $(if $(CI),-Werror)
PKGS          := talloc tevent libqb jansson inih krb5-gssapi krb5 nettle libcap-ng libmnl libseccomp
# Asked for once a run, and not at all for the goals that work on a bare machine.
PKG_CFLAGS     = $(eval PKG_CFLAGS := $$(shell pkg-config --cflags $(PKGS)))$(PKG_CFLAGS)
PKG_LIBS       = $(eval PKG_LIBS := $$(shell pkg-config --libs $(PKGS)))$(PKG_LIBS)
SWNC_PKGS     := talloc tevent libqb krb5-gssapi krb5 nettle
SWNC_LIBS      = $(eval SWNC_LIBS := $$(shell pkg-config --libs $(SWNC_PKGS)))$(SWNC_LIBS)
# Optional: without libmicrohttpd the metrics are not served over HTTP. MHD= builds without.
MHD            = $(eval MHD := $$(shell pkg-config --exists libmicrohttpd && echo libmicrohttpd))$(MHD)
MHD_LIBS       = $(if $(MHD),$(shell pkg-config --libs $(MHD)))
PM_PKGS       := pacemaker-cib pacemaker-pe_status glib-2.0 libxml-2.0 libcpg libquorum libcmap
PM_CFLAGS      = $(eval PM_CFLAGS := $$(shell pkg-config --cflags $(PM_PKGS)))$(PM_CFLAGS)
PM_LIBS        = $(eval PM_LIBS := $$(shell pkg-config --libs $(PM_PKGS)))$(PM_LIBS)

override CFLAGS += -std=gnu11 -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wno-unused-parameter -fPIC -fvisibility=default $(WERROR)
override CPPFLAGS += -I. -Ilibswnclient -D_GNU_SOURCE -DWITNESSD_VERSION='"$(VERSION)"' \
	-DWITNESSD_MODULEDIR='"$(MODULEDIR)"' -DWITNESSD_SYSCONFDIR='"$(SYSCONFDIR)"'

core_src      := $(filter-out witnessd/main.c,$(wildcard witnessd/*.c witnessd/*/*.c))
swnc_src      := $(wildcard libswnclient/*.c)
ctl_src       := $(wildcard witnessctl/*.c)
agent_src     := $(wildcard agents/*.c)
opener_src    := $(wildcard opener/*.c)
unit_src      := $(wildcard tests/unit/test_*.c)
fuzz_src      := $(wildcard tests/fuzz/fuzz_*.c)
helper_src    := $(wildcard tests/daemon/*.c tests/lab/*.c tests/bench/load_*.c)
module_srcs    = $(wildcard backends/$(1)/*.c)
# Under obj/, because the program witnessd and the folder witnessd/ have one name.
obj            = $(patsubst %.c,$(B)/obj/%.o,$(1))

SWNC_SONAME   := libswnclient.so.0
swnc_lib      := $(B)/libswnclient.so $(B)/libswnclient.a
core_lib      := $(B)/libwitnessd-core.a
modules       := $(foreach b,$(BACKENDS),$(if $(call module_srcs,$b),$(B)/witnessd-backend-$b.so))
units         := $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(unit_src))
fuzzers       := $(patsubst tests/fuzz/%.c,$(B)/tests/fuzz/%,$(fuzz_src))
helpers       := $(patsubst %.c,$(B)/%,$(helper_src))
sim           := $(B)/tests/sim/sim

# One short line a file; V=1 shows the commands.
say            = $(if $(V),,@printf '  %-3s %s\n' $(if $(filter %.o,$@),CC,LD) $@;)

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all help bench faults fuzz fuzzers deps deps-build sim sim-mutants tests check check-asan check-valgrind check-units check-ctdb-new check-lint check-headers check-sh demo \
	demo-pacemaker install install-client clean format

all: $(B)/witnessd $(B)/witnessctl $(B)/witness-tickle $(B)/witness-opener $(modules) $(swnc_lib)

# The comment at the top of this file.
help:
	@sed -n -e '/^$$/q' -e 's/^#   //p' $(firstword $(MAKEFILE_LIST))

deps-build:
	@tests/deps/install tests/deps/build.txt
deps:
	@tests/deps/install tests/deps/build.txt tests/deps/test.txt

$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(say)$(CC) $(CPPFLAGS) $(PKG_CFLAGS) $(CFLAGS) $(EXTRA_CFLAGS) -MMD -MP -c -o $@ $<

$(core_lib): $(call obj,$(core_src))
	@rm -f $@
	$(say)$(AR) rcs $@ $^

# The modules use the core's functions, so all of them are in the program and exported.
$(B)/witnessd: $(B)/obj/witnessd/main.o $(core_lib)
	$(say)$(CC) $(CFLAGS) $(LDFLAGS) -rdynamic -o $@ $< -Wl,--whole-archive $(core_lib) \
		-Wl,--no-whole-archive $(PKG_LIBS) $(MHD_LIBS) -ldl -lpthread

$(B)/witnessctl: $(call obj,$(ctl_src) $(swnc_src)) $(core_lib)
	$(say)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(PKG_LIBS) -ldl -lpthread

$(B)/witness-tickle: $(call obj,$(agent_src)) $(core_lib)
	$(say)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(PKG_LIBS) -ldl -lpthread

$(B)/witness-opener: $(call obj,$(opener_src)) $(core_lib)
	$(say)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(PKG_LIBS) -ldl -lpthread

# What the library needs of the core is inside, and nothing but swnc_* can be seen from outside.
$(B)/libswnclient.so: $(call obj,$(swnc_src)) $(core_lib) libswnclient/libswnclient.map
	$(say)$(CC) $(CFLAGS) $(LDFLAGS) -shared -Wl,-soname,$(SWNC_SONAME) \
		-Wl,--version-script=libswnclient/libswnclient.map -o $@ $(filter %.o %.a,$^) $(SWNC_LIBS) -lpthread
	@ln -sf libswnclient.so $(B)/$(SWNC_SONAME)
$(B)/libswnclient.a: $(call obj,$(swnc_src)) $(core_lib)
	$(say)$(LD) -r -o $(B)/obj/libswnclient/all.o $^
	@objcopy --wildcard --keep-global-symbol='swnc_*' $(B)/obj/libswnclient/all.o
	@rm -f $@
	@$(AR) rcs $@ $(B)/obj/libswnclient/all.o

define module_rule
$(B)/witnessd-backend-$(1).so: $(call obj,$(call module_srcs,$(1)))
	$$(say)$(CC) $(CFLAGS) $(LDFLAGS) -shared -o $$@ $$^ $$(if $$(filter pacemaker,$(1)),$$(PM_LIBS)) $(PKG_LIBS)
endef
$(foreach b,$(BACKENDS),$(eval $(call module_rule,$b)))
$(B)/obj/backends/pacemaker/%.o $(B)/obj/tests/unit/test_pacemaker%.o $(B)/obj/tests/lab/%.o $(B)/obj/tests/fuzz/fuzz_cib.o: EXTRA_CFLAGS = $(PM_CFLAGS) -Wno-deprecated-declarations

$(B)/obj/witnessd/metrics_http.o: EXTRA_CFLAGS = $(if $(MHD),-DHAVE_MICROHTTPD $(shell pkg-config --cflags $(MHD)))

# A unit test links the core; tests named test_BACKEND_* link that backend's objects, too, and those
# named test_tickle* the tickle agent's, test_swnclient* the client library's, test_watch* what runs programs.
watch_src     := witnessctl/watch_exec.c witnessctl/watch_print.c witnessctl/table.c witnessctl/terminal.c
define unit_rule
$(B)/tests/unit/$(1): $(B)/obj/tests/unit/$(1).o $(foreach b,$(BACKENDS),$(if $(filter test_$b%,$(1)),$(call obj,$(call module_srcs,$b)))) $(if $(filter test_tickle%,$(1)),$(call obj,$(filter-out agents/main.c,$(agent_src)))) $(if $(filter test_swnclient% test_watch%,$(1)),$(call obj,$(swnc_src))) $(if $(filter test_watch%,$(1)),$(call obj,$(watch_src))) $(core_lib)
	@mkdir -p $$(@D)
	$$(say)$(CC) $(CFLAGS) $$(LDFLAGS) -rdynamic -o $$@ $$^ $$(if $$(filter test_pacemaker%,$(1)),$$(PM_LIBS)) $(PKG_LIBS) -lcmocka -ldl -lpthread
endef
$(foreach u,$(patsubst tests/unit/%.c,%,$(unit_src)),$(eval $(call unit_rule,$u)))

# This one decides when malloc() fails, which in the core is what its hash tables take.
$(B)/tests/unit/test_rpc_server_limits: private override LDFLAGS += -Wl,--wrap=malloc

# This one loads a module, which wants the whole core, as the daemon has it.
$(B)/tests/unit/test_cluster_module: private override LDFLAGS += -Wl,--whole-archive $(core_lib) -Wl,--no-whole-archive $(MHD_LIBS)
$(B)/tests/unit/test_cluster_module: | $(B)/witnessd-backend-static.so

# A timer that cannot be had; a process that does not end.
$(B)/tests/unit/test_swn_leave: private override LDFLAGS += -Wl,--wrap=mono_timer_add
$(B)/tests/unit/test_run: private override LDFLAGS += -Wl,--wrap=waitpid

# A fuzz target links the core, too; these need the parsers of a backend as well.
$(B)/tests/fuzz/fuzz_static_map: $(call obj,backends/static/map.c backends/static/map_format.c)
$(B)/tests/fuzz/fuzz_ctdb_packet: $(call obj,$(addprefix backends/ctdb/,news.c packet.c payload.c))
$(B)/tests/fuzz/fuzz_ctdb_client: $(call obj,$(addprefix backends/ctdb/,client.c client_call.c client_io.c packet.c))
$(B)/tests/fuzz/fuzz_ctdb_peer: $(call obj,backends/ctdb/peer_packet.c)
$(B)/tests/fuzz/fuzz_cib: $(call obj,$(filter-out $(addprefix backends/pacemaker/,cib.c cpg.c corosync.c glib_bridge.c \
	membership.c pacemaker.c pcmk.c placement.c probe.c settle.c smb_watch.c),$(call module_srcs,pacemaker)))
$(B)/tests/fuzz/fuzz_cib: private override LDFLAGS += -Wl,--no-as-needed $(shell pkg-config --libs libxml-2.0)

# And this one the tickle agent's parsers.
$(B)/tests/fuzz/fuzz_netlink: $(call obj,agents/netlink.c agents/sock_diag.c agents/netaddr.c)

# And this one what witnessctl doctor reads.
$(B)/tests/fuzz/fuzz_firewall: $(call obj,witnessctl/fw.c witnessctl/fw_nft.c witnessctl/fw_iptables.c)

# What targets of connections share; and GSSAPI, the pool of threads and the cipher as the input has it.
$(B)/tests/fuzz/fuzz_conn $(B)/tests/fuzz/fuzz_conn_auth: $(call obj,tests/fuzz/conn_target.c)
fuzz_auth     := $(B)/tests/fuzz/fuzz_conn_auth $(B)/tests/fuzz/fuzz_client_auth
gss_script    := $(addprefix gss_,accept_sec_context init_sec_context delete_sec_context inquire_context \
	inquire_sec_context_by_oid acquire_cred set_neg_mechs set_cred_option release_cred import_name display_name \
	release_name display_status get_mic_iov_length wrap_iov_length get_mic verify_mic wrap_iov unwrap_iov) \
	auth_pool_submit auth_job_abandon auth_creds_acquire nettle_memeql_sec nettle_arcfour_crypt
$(fuzz_auth): $(call obj,tests/fuzz/gss_script.c)
$(fuzz_auth): private override LDFLAGS += $(foreach f,$(gss_script),-Wl,--wrap=$f)
$(B)/tests/fuzz/fuzz_client_auth: private override LDFLAGS += -Wl,--wrap=client_connect_send,--wrap=client_connect_recv

# Fuzz targets are ordinary programs that replay files; with FUZZ=1 and clang they are libFuzzer's.
ifdef FUZZ
$(B)/tests/fuzz/fuzz_%: $(B)/obj/tests/fuzz/fuzz_%.o $(core_lib)
	@mkdir -p $(@D)
	$(say)$(CC) $(CFLAGS) $(LDFLAGS) -fsanitize=fuzzer -o $@ $(filter %.o,$^) $(core_lib) $(PKG_LIBS) -ldl -lpthread
else
$(B)/tests/fuzz/fuzz_%: $(B)/obj/tests/fuzz/fuzz_%.o $(B)/obj/tests/fuzz/main.o $(core_lib)
	@mkdir -p $(@D)
	$(say)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(core_lib) $(PKG_LIBS) -ldl -lpthread
endif

$(filter $(B)/tests/bench/%,$(helpers)): $(call obj,tests/bench/arrivals.c)
$(helpers): $(B)/%: $(B)/obj/%.o $(core_lib)
	@mkdir -p $(@D)
	$(say)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(if $(filter $(B)/tests/lab/%,$@),$(PM_LIBS)) $(PKG_LIBS) -ldl -lpthread

# What faults the lab's witnessd gets from inside.
preload := $(B)/tests/lab/faults/preload.so
$(preload): $(B)/obj/tests/lab/faults/preload.o
	@mkdir -p $(@D)
	$(say)$(CC) $(CFLAGS) $(LDFLAGS) -shared -o $@ $^

# Whatever the core takes from chance comes from the simulation's seed.
$(sim): $(call obj,$(wildcard tests/sim/*.c)) $(core_lib)
	@mkdir -p $(@D)
	$(say)$(CC) $(CFLAGS) $(LDFLAGS) -Wl,--wrap=guid_random,--wrap=time,--wrap=clock_gettime,--wrap=swn_order_do -o $@ $^ $(PKG_LIBS) -lcmocka -ldl -lpthread

fuzzers: $(fuzzers)
tests: all $(units) $(fuzzers) $(helpers) $(preload) $(sim)

check: deps
	@+tests/run --build $(B) lint unit fuzz sim daemon agents asan lab

# Units and daemon tests once more, under ASan and UBSan.
ASAN_FLAGS := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
check-asan: deps
	@+tests/run --build build-asan --cflags '$(ASAN_FLAGS)' unit fuzz daemon

# Simulated histories of a cluster (tests/sim/README.md), and a day of keep-alives in seconds.
HISTORIES     ?= 2000000
SEED          ?= 1
sim:
	@tests/deps/install tests/deps/build.txt tests/deps/test.txt
	@$(MAKE) --no-print-directory -s -j$$(nproc) $(sim)
	@$(sim) -n $(HISTORIES) -s $(SEED) $(if $(filter 1,$(HISTORIES)),-k 0)
# Whether the simulation finds what is broken on purpose.
sim-mutants:
	@$(MAKE) --no-print-directory -s -j$$(nproc) $(sim)
	@tests/sim/mutants $(B)

# Looks for inputs that break a parser: every target for SECONDS, or one of them by make fuzz-NAME.
SECONDS       ?= 60
FUZZ_FLAGS    := -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
define run_fuzz
	@tests/deps/install tests/deps/build.txt tests/deps/fuzz.txt
	@$(MAKE) --no-print-directory -j2 B=build-fuzz FUZZ=1 CC=clang 'CFLAGS=$(FUZZ_FLAGS)' fuzzers
	@tests/fuzz/run --build build-fuzz --seconds $(SECONDS) $*
endef
fuzz:
	$(run_fuzz)
fuzz-%:
	$(run_fuzz)

# Nothing but the tables on standard output.
ROUNDS        ?= 10
define run_bench
	@$(MAKE) --no-print-directory deps >&2
	@tests/deps/install tests/deps/ctdb-new.txt >&2
	@$(MAKE) --no-print-directory -j$$(nproc) all $(helpers) >&2
	@tests/bench/run --build $(B) --rounds $(ROUNDS) $(if $(UPDATE),--update $(UPDATE)) $*
endef
bench:
	$(run_bench)
bench-%:
	$(run_bench)

# Processes die and hang, cables are pulled, memory is short (tests/lab/faults). The seed of sim is not ours.
faults:
	@$(MAKE) --no-print-directory -s deps
	@$(MAKE) --no-print-directory -s -j$$(nproc) tests
	@B=$(abspath $(B)) ROUNDS=$(ROUNDS) SEED=$(if $(filter file,$(origin SEED)),,$(SEED)) FROM=$(FROM) tests/lab/faults/run

# Units once more under memcheck; takes minutes.
check-valgrind: deps
	@+tests/run --build $(B) valgrind
check-units: deps
	@+tests/run --build $(B) unit
# The CTDB lab's tests once more, with the CTDB and Samba of Debian trixie, which are downloaded once.
check-ctdb-new: deps
	@tests/deps/install tests/deps/ctdb-new.txt
	@+tests/run --build $(B) ctdb-new
check-lint: deps
	@+tests/run --build $(B) lint

check-headers:
	@for h in $$(git ls-files '*.h'); do \
		$(CC) $(CPPFLAGS) $(PKG_CFLAGS) $(PM_CFLAGS) -std=gnu11 -Wall -Wextra -Werror \
			-Wno-unused-parameter -Wno-deprecated-declarations -fsyntax-only -x c $$h || exit 1; \
	done
# Scripts by their first line: programs in other languages have scripts in them.
check-sh:
	@shellcheck packaging/witnessctl.bash $$(git ls-files -z | xargs -0 awk \
		'FNR == 1 && /^#!\/bin\/(ba)?sh/ { print FILENAME } { nextfile }')
format:
	clang-format -i $$(git ls-files '*.c' '*.h')

demo:
	@tests/deps/install tests/deps/build.txt tests/deps/demo.txt
	@$(MAKE) --no-print-directory -j$$(nproc) all
	@tests/demo/demo $(B)
demo-pacemaker: deps
	@$(MAKE) --no-print-directory -j$$(nproc) all
	@tests/demo/demo-pacemaker $(B)

# The client library alone, for who builds against it.
install-client: $(swnc_lib)
	install -d $(DESTDIR)$(LIBDIR)/pkgconfig $(DESTDIR)$(INCLUDEDIR) $(DESTDIR)$(MANDIR)/man3 $(DESTDIR)$(DOCDIR)/examples
	install -m 755 $(B)/libswnclient.so $(DESTDIR)$(LIBDIR)/$(SWNC_SONAME).$(VERSION)
	ln -sf $(SWNC_SONAME).$(VERSION) $(DESTDIR)$(LIBDIR)/$(SWNC_SONAME)
	ln -sf $(SWNC_SONAME) $(DESTDIR)$(LIBDIR)/libswnclient.so
	install -m 644 $(B)/libswnclient.a $(DESTDIR)$(LIBDIR)/
	install -m 644 libswnclient/swnclient.h libswnclient/swnclient_tevent.h $(DESTDIR)$(INCLUDEDIR)/
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' -e 's|@INCLUDEDIR@|$(INCLUDEDIR)|' \
		-e 's|@VERSION@|$(VERSION)|' -e 's|@PKGS@|$(SWNC_PKGS)|' \
		libswnclient/libswnclient.pc.in >$(DESTDIR)$(LIBDIR)/pkgconfig/libswnclient.pc
	install -m 644 docs/libswnclient.3 $(DESTDIR)$(MANDIR)/man3/
	install -m 644 docs/examples/*.[ch] $(DESTDIR)$(DOCDIR)/examples/

install: all install-client
	install -d $(DESTDIR)$(SBINDIR) $(DESTDIR)$(MODULEDIR) $(DESTDIR)$(OCFDIR) $(DESTDIR)$(CTDBDIR) \
		$(DESTDIR)$(MANDIR)/man5 $(DESTDIR)$(MANDIR)/man7 $(DESTDIR)$(MANDIR)/man8 $(DESTDIR)$(UNITDIR)
	install -m 755 $(B)/witnessd $(B)/witnessctl $(DESTDIR)$(SBINDIR)/
	install -m 755 $(B)/witness-tickle $(B)/witness-opener $(DESTDIR)$(MODULEDIR)/
	install -m 644 $(modules) $(DESTDIR)$(MODULEDIR)/
	install -m 644 docs/witnessd.conf.5 $(DESTDIR)$(MANDIR)/man5/
	install -m 644 docs/ocf_samba_witness.7 docs/ocf_samba_tickle.7 docs/ctdb-witnessd.7 $(DESTDIR)$(MANDIR)/man7/
	install -m 644 docs/witnessd.8 docs/witnessctl.8 docs/witness-tickle.8 docs/witness-opener.8 $(DESTDIR)$(MANDIR)/man8/
	install -m 644 packaging/witnessd.service $(DESTDIR)$(UNITDIR)/
	install -m 644 docs/witnessctl.schema.json docs/*.md docs/*.svg $(DESTDIR)$(DOCDIR)/
	install -m 644 packaging/*.example $(DESTDIR)$(DOCDIR)/examples/
	install -d $(DESTDIR)$(SYSUSERSDIR)
	install -m 644 packaging/witnessd.sysusers $(DESTDIR)$(SYSUSERSDIR)/witnessd.conf
	install -d $(DESTDIR)$(TMPFILESDIR)
	install -m 644 packaging/witnessd.tmpfiles $(DESTDIR)$(TMPFILESDIR)/witnessd.conf
	@[ -n "$(DESTDIR)" ] || ! command -v systemd-sysusers >/dev/null || { \
		systemd-sysusers $(SYSUSERSDIR)/witnessd.conf && systemd-tmpfiles --create $(TMPFILESDIR)/witnessd.conf; }
	install -d $(DESTDIR)$(COMPLETIONDIR)
	install -m 644 packaging/witnessctl.bash $(DESTDIR)$(COMPLETIONDIR)/witnessctl
	install -m 755 ocf/witness ocf/tickle $(DESTDIR)$(OCFDIR)/
	install -m 755 agents/ctdb/*.script $(DESTDIR)$(CTDBDIR)/
	sed -i -e 's|^DEFAULT_witnessctl=.*|DEFAULT_witnessctl=$(SBINDIR)/witnessctl|' $(DESTDIR)$(CTDBDIR)/*witnessd*.script
	sed -i -e 's|^DEFAULT_binary=.*|DEFAULT_binary=$(SBINDIR)/witnessd|' \
		-e 's|^DEFAULT_config=.*|DEFAULT_config=$(SYSCONFDIR)/witnessd.conf|' $(DESTDIR)$(OCFDIR)/witness
	sed -i -e 's|^DEFAULT_witnessctl=.*|DEFAULT_witnessctl=$(SBINDIR)/witnessctl|' \
		-e 's|^DEFAULT_agent=.*|DEFAULT_agent=$(MODULEDIR)/witness-tickle|' $(DESTDIR)$(OCFDIR)/tickle

clean:
	rm -rf $(B) build-asan build-clang

-include $(shell test -d $(B) && find $(B) -name '*.d')
