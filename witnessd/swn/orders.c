/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/swn/orders.h"

#include <errno.h>
#include <string.h>

#include "witnessd/swn/orders_private.h"
#include "witnessd/swn/service_private.h"
#include "witnessd/util/log.h"

#define MAX_JOBS   32U
#define KEEP_MS    60000U /* a job after its end, for who asks */
#define TIMEOUT_MS 5000U  /* for a command */
#define PAUSE_MS   20U    /* at least, when the rate is what limits */

/* A command under way. */
struct portion {
	struct swn_job *job;
	size_t first, num;
};

static void pump(void *private_data);

/* --- carried out here --- */

static void carry_out(struct swn_orders *orders, const struct swn_order *order,
		      const struct swn_handle *handles, size_t num, uint8_t *results)
{
	for (size_t i = 0; i < num; i++) {
		results[i] = (uint8_t)swn_order_do(orders->service, order, &handles[i]);
	}
}

static void on_command(void *private_data, struct peers_call *call, const char *from,
		       const uint8_t *bytes, size_t len)
{
	struct swn_orders *orders = talloc_get_type_abort(private_data, struct swn_orders);
	TALLOC_CTX *tmp = talloc_new(NULL);
	uint8_t results[SWN_ORDER_HANDLES];
	struct swn_handle *handles = NULL;
	struct swn_order order;
	size_t num = 0;
	int err = swn_order_pull(tmp, bytes, len, &order, &handles, &num);

	if (err == 0) {
		log_notice("node %s orders %zu registrations: order %d", log_escape(tmp, from), num,
			   (int)order.type);
		carry_out(orders, &order, handles, num, results);
	}
	peers_call_reply(call, err, results, num);
	talloc_free(tmp);
}

/* --- jobs --- */

static int job_destructor(struct swn_job *job)
{
	wheel_cancel(&job->timer);
	if (job->orders_of != NULL) {
		qb_list_del(&job->link);
		job->orders_of->num_jobs--;
	}
	return 0;
}

static void on_forget(void *private_data)
{
	talloc_free(talloc_get_type_abort(private_data, struct swn_job));
}

/* Nothing follows any more but questions about it. */
static void keep_job(struct swn_job *job)
{
	job->done = true;
	wheel_arm(job->orders_of->wheel, &job->timer, KEEP_MS, on_forget, job);
}

static void end_job(struct swn_job *job)
{
	keep_job(job);
	log_notice("order %llu is done: %zu of %zu registrations told or to be told",
		   (unsigned long long)job->id,
		   swn_job_count(job, SWN_ORDER_TOLD) + swn_job_count(job, SWN_ORDER_QUEUED),
		   job->num);
}

/* How many may be sent now, at the rate that was asked for. */
static size_t allowed(const struct swn_job *job)
{
	uint64_t elapsed_us = wheel_now_us(job->orders_of->wheel) - job->began_us;
	uint64_t due;

	if (job->rate == 0) {
		return SWN_ORDER_HANDLES;
	}
	due = 1 + elapsed_us * job->rate / 1000000;
	return due > job->sent ? (size_t)(due - job->sent) : 0;
}

static bool same_witness(const struct swn_job_item *a, const struct swn_job_item *b)
{
	return a->own == b->own && (a->own || cluster_same_name(a->witness, b->witness));
}

/* Those from .next on that one command can have. */
static size_t portion_size(const struct swn_job *job, size_t most)
{
	const struct swn_job_item *first = &job->items[job->next];
	size_t n = 1;

	most = most < SWN_ORDER_HANDLES ? most : SWN_ORDER_HANDLES;
	while (n < most && job->next + n < job->num && same_witness(first, first + n) &&
	       first[n].order == first->order) {
		n++;
	}
	return n;
}

static void set_results(struct swn_job *job, size_t first, size_t num, const uint8_t *results)
{
	for (size_t i = 0; i < num; i++) {
		uint8_t result = results[i];

		job->items[first + i].result = result <= SWN_ORDER_FAILED
						       ? (enum swn_order_result)result
						       : SWN_ORDER_REFUSED;
	}
}

static void set_all(struct swn_job *job, size_t first, size_t num, enum swn_order_result result)
{
	for (size_t i = 0; i < num; i++) {
		job->items[first + i].result = result;
	}
}

/* The witness does not answer: its others need not be tried. */
static void give_up_witness(struct swn_job *job, const struct portion *portion,
			    enum swn_order_result result)
{
	size_t num = portion->num;

	while (portion->first + num < job->num &&
	       same_witness(&job->items[portion->first], &job->items[portion->first + num])) {
		num++;
	}
	set_all(job, portion->first, num, result);
	if (job->next < portion->first + num) { /* it may have been cancelled meanwhile */
		job->next = portion->first + num;
	}
}

static void answered(struct tevent_req *subreq)
{
	struct portion *portion = tevent_req_callback_data(subreq, struct portion);
	struct swn_job *job = portion->job;
	uint8_t *results = NULL;
	size_t len = 0;
	int err = peers_command_recv(subreq, portion, &results, &len);

	talloc_free(subreq);
	job->in_flight = 0;
	if (err == 0 && len == portion->num) {
		set_results(job, portion->first, portion->num, results);
	} else if (err == EHOSTUNREACH || err == ETIMEDOUT) {
		give_up_witness(job, portion, SWN_ORDER_UNREACHABLE);
	} else if (err == EOPNOTSUPP) {
		give_up_witness(job, portion, SWN_ORDER_REFUSED);
	} else {
		set_all(job, portion->first, portion->num, SWN_ORDER_FAILED);
	}
	talloc_free(portion);
	wheel_arm(job->orders_of->wheel, &job->timer, 0, pump, job);
}

static void collect(const struct swn_job *job, size_t first, size_t num,
		    struct swn_handle handles[SWN_ORDER_HANDLES])
{
	for (size_t i = 0; i < num; i++) {
		handles[i] = job->items[first + i].handle;
	}
}

/* @return 0: answered() follows; or an errno */
static int send_portion(struct swn_job *job, size_t num)
{
	struct swn_orders *orders = job->orders_of;
	const struct swn_job_item *first = &job->items[job->next];
	struct swn_handle handles[SWN_ORDER_HANDLES];
	uint8_t buf[PEERS_COMMAND_MAX];
	struct portion *portion;
	struct tevent_req *subreq;
	size_t len;
	int err;

	collect(job, job->next, num, handles);
	err = swn_order_push(&job->orders[first->order], handles, num, buf, &len);
	if (err != 0) {
		return err;
	}
	portion = talloc_zero(job, struct portion);
	if (portion == NULL) {
		return ENOMEM;
	}
	*portion = (struct portion){.job = job, .first = job->next, .num = num};
	subreq = peers_command_send(portion, orders->ev, cluster_peers(orders->cluster),
				    first->witness, PEERS_ORDER, buf, len, TIMEOUT_MS);
	if (subreq == NULL) {
		talloc_free(portion);
		return ENOMEM;
	}
	tevent_req_set_callback(subreq, answered, portion);
	job->in_flight = num;
	job->next += num;
	job->sent += num;
	return 0;
}

static void do_portion(struct swn_job *job, size_t num)
{
	struct swn_handle handles[SWN_ORDER_HANDLES];
	uint8_t results[SWN_ORDER_HANDLES];

	collect(job, job->next, num, handles);
	carry_out(job->orders_of, &job->orders[job->items[job->next].order], handles, num, results);
	set_results(job, job->next, num, results);
	job->next += num;
	job->sent += num;
}

/* Send what is due, a portion at a time, and let the loop turn between them. */
static void pump(void *private_data)
{
	struct swn_job *job = talloc_get_type_abort(private_data, struct swn_job);
	struct wheel *wheel = job->orders_of->wheel;
	size_t num;

	if (job->next == job->num) {
		end_job(job);
		return;
	}
	num = allowed(job);
	if (num == 0) {
		uint32_t pause_ms = 1000 / job->rate;

		wheel_arm(wheel, &job->timer, pause_ms > PAUSE_MS ? pause_ms : PAUSE_MS, pump, job);
		return;
	}
	num = portion_size(job, num);
	if (job->items[job->next].own) {
		do_portion(job, num);
	} else if (job->items[job->next].witness == NULL || send_portion(job, num) != 0) {
		set_all(job, job->next, num, SWN_ORDER_FAILED);
		job->next += num;
	} else {
		return;
	}
	wheel_arm(wheel, &job->timer, 0, pump, job);
}

/* --- beginning --- */

/* Who gets it is known. */
static void start_job(struct swn_job *job)
{
	struct wheel *wheel = job->orders_of->wheel;

	if (job->dry_run) {
		keep_job(job);
		return;
	}
	job->began_us = wheel_now_us(wheel);
	log_notice("order %llu: type %d for %zu registrations", (unsigned long long)job->id,
		   (int)job->orders[0].type, job->num - job->next);
	wheel_arm(wheel, &job->timer, 0, pump, job);
}

static void on_plan(void *private_data)
{
	struct swn_job *job = talloc_get_type_abort(private_data, struct swn_job);

	job->err = swn_job_plan_on(job, job, &job->why);
	if (job->err == EAGAIN) {
		job->err = 0;
		wheel_arm(job->orders_of->wheel, &job->timer, 0, on_plan, job);
	} else if (job->err != 0) {
		job->num = job->next = 0; /* whoever was found before that gets nothing */
		keep_job(job);
	} else {
		start_job(job);
	}
}

int swn_orders_cancel(struct swn_orders *orders, uint64_t id)
{
	struct swn_job *job = swn_job_find(orders, id);

	if (job == NULL) {
		return ENOENT;
	}
	if (!job->done) {
		log_notice("order %llu is cancelled", (unsigned long long)id);
	}
	if (job->planning != NULL) {
		/* Whom it was for is not known yet. */
		TALLOC_FREE(job->planning);
		job->num = 0;
		keep_job(job);
	}
	set_all(job, job->next, job->num - job->next, SWN_ORDER_CANCELLED);
	job->next = job->num;
	if (!job->done && job->in_flight == 0) {
		wheel_arm(orders->wheel, &job->timer, 0, pump, job);
	}
	return 0;
}

/* The oldest job that is done makes room. */
static bool make_room(struct swn_orders *orders)
{
	struct swn_job *job;

	if (orders->num_jobs < MAX_JOBS) {
		return true;
	}
	qb_list_for_each_entry (job, &orders->jobs, link) {
		if (job->done) {
			talloc_free(job);
			return true;
		}
	}
	return false;
}

static struct swn_job *new_job(struct swn_orders *orders, const struct swn_orders_request *request)
{
	struct swn_job *job = talloc_zero(orders, struct swn_job);

	if (job != NULL) {
		job->orders_of = orders;
		job->id = ++orders->last_id;
		job->rate = request->rate;
		job->dry_run = request->dry_run;
		qb_list_add_tail(&job->link, &orders->jobs);
		orders->num_jobs++;
		talloc_set_destructor(job, job_destructor);
	}
	return job;
}

int swn_orders_begin(struct swn_orders *orders, TALLOC_CTX *mem_ctx,
		     const struct swn_orders_request *request, uint64_t *id, char **why)
{
	struct swn_job *job;
	int err;

	if (!make_room(orders)) {
		*why = talloc_strdup(mem_ctx, "too many orders are being carried out");
		return EBUSY;
	}
	job = new_job(orders, request);
	if (job == NULL) {
		return ENOMEM;
	}
	err = swn_job_plan(job, mem_ctx, orders->service, request, why);
	if (err == 0 && !request->dry_run && request->plan == SWN_ORDERS_DRAIN) {
		/* From now on, so that nobody is sent there while it is planned who leaves. */
		err = swn_drains_set(orders->service->drains, job->leaving, true);
	}
	if (err == 0) {
		err = swn_job_plan_on(job, mem_ctx, why);
	}
	if (err != 0 && err != EAGAIN) {
		talloc_free(job);
		return err;
	}
	*id = job->id;
	if (err == EAGAIN) {
		wheel_arm(orders->wheel, &job->timer, 0, on_plan, job);
	} else {
		start_job(job);
	}
	return 0;
}

/* --- marks --- */

int swn_orders_node(TALLOC_CTX *mem_ctx, const struct cluster_state *state, const char *name,
		    const struct cluster_node **node, char **why)
{
	*node = state != NULL ? cluster_state_node_typed(state, name) : NULL;
	if (*node == NULL) {
		*why = talloc_asprintf(mem_ctx, "the cluster has no node %s",
				       log_escape(mem_ctx, name));
		return ENODEV;
	}
	return 0;
}

int swn_orders_mark(struct swn_orders *orders, TALLOC_CTX *mem_ctx, const char *name, bool drained,
		    const char **marked, char **why)
{
	const struct cluster_node *node = NULL;
	int err = swn_orders_node(mem_ctx, cluster_current(orders->cluster), name, &node, why);

	if (err == 0) {
		err = swn_drains_set(orders->service->drains, node->name, drained);
	}
	if (err == 0) {
		*marked = node->name;
	}
	return err;
}

/* --- the object --- */

static int orders_destructor(struct swn_orders *orders)
{
	struct swn_job *job, *next;

	peers_set_command_handler(cluster_peers(orders->cluster), PEERS_ORDER, NULL, NULL);
	qb_list_for_each_entry_safe (job, next, &orders->jobs, link) {
		talloc_free(job);
	}
	return 0;
}

int swn_orders_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, struct cluster *cluster,
		      struct swn_service *service, struct swn_orders **out)
{
	struct swn_orders *orders = talloc_zero(mem_ctx, struct swn_orders);

	if (orders == NULL) {
		return ENOMEM;
	}
	orders->ev = ev;
	orders->cluster = cluster;
	orders->service = service;
	orders->wheel = service->wheel;
	qb_list_init(&orders->jobs);
	peers_set_command_handler(cluster_peers(cluster), PEERS_ORDER, on_command, orders);
	talloc_set_destructor(orders, orders_destructor);
	*out = orders;
	return 0;
}
