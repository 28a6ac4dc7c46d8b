#include "gateway/app/gateway.h"

#include "gateway/app/certificates.h"
#include "gateway/inbound/api.h"
#include "gateway/inbound/endpoints.h"
#include "gateway/inbound/openapi.h"
#include "gateway/observe/health.h"
#include "gateway/observe/log.h"
#include "gateway/outbound/outbound.h"
#include "gateway/queue/runner.h"
#include "gateway/service/acknowledgement.h"
#include "gateway/service/read_back.h"
#include "gateway/service/reasons.h"
#include "gateway/service/remake.h"
#include "gateway/service/retention.h"
#include "gateway/service/worker.h"
#include "gateway/store/sqlite/sqlite_store.h"

#include <unistd.h>

#include <filesystem>
#include <mutex>

namespace lotsen::app {

namespace {

// Gauges of the store are read when somebody asks, at most this often.
constexpr auto kCountsAge = std::chrono::seconds(5);

}  // namespace

// Declared in the order in which they are built: destruction is the stop order reversed.
struct Gateway::Parts {
  Settings settings;
  SystemClock clock;
  SystemRandom random;
  observe::Log log{clock};
  observe::Metrics metrics;
  service::ValidationCounts validated{metrics};
  observe::Health health;
  std::atomic<bool> accepting{false};
  std::unique_ptr<service::Current> configuration;
  std::unique_ptr<identity::CurrentCredentials> credentials;
  std::unique_ptr<store::Store> store;
  store::Owner owner;
  std::unique_ptr<outbound::Outbound> transport;
  std::unique_ptr<queue::Core> core;
  std::unique_ptr<queue::Runner> delivery;
  std::vector<std::unique_ptr<service::Worker>> workers;
  std::unique_ptr<service::Receptionist> receptionist;
  std::unique_ptr<service::WhatIf> whatIf;
  std::unique_ptr<service::Operator> desk;
  std::unique_ptr<service::Remaker> remaker;
  std::unique_ptr<service::RetentionRunner> retention;
  std::unique_ptr<inbound::Api> api;
  std::unique_ptr<inbound::Router> router;
  std::unique_ptr<inbound::Server> server;
  std::mutex sampling;
  Instant sampledAt{};

  Status build(Loaded loaded, const std::function<void()>& fatal);
  Status openStore(const std::function<void()>& fatal);
  Status buildWorkers(const std::function<void()>& fatal);
  Status buildDesk();
  void buildListener();
  void tellExpiries();
  void tellUnanswered(const store::Claimed& claimed, const queue::Answer& answer);
  void sample();
  void sampleAlarms(Instant now);
  void sampleDelivery();
  void wakeWorkers() {
    for (auto& worker : workers) worker->wake();
  }
};

Status Gateway::Parts::build(Loaded loaded, const std::function<void()>& fatal) {
  settings = std::move(loaded.settings);
  configuration = std::make_unique<service::Current>(loaded.configuration);
  LOTSEN_TRY(auto known, identity::Credentials::load(settings.tokens, settings.clientCertificates));
  credentials =
      std::make_unique<identity::CurrentCredentials>(std::make_shared<const identity::Credentials>(std::move(known)));
  const auto die = [this, fatal] {
    accepting = false;
    health.bad("store", "the database has failed; the process ends and the next start recovers");
    fatal();
  };
  health.expect(observe::Health::Kind::Live, "store");
  LOTSEN_TRY_DO(openStore(die));
  health.good("store");
  LOTSEN_TRY(transport, outbound::Outbound::create(settings.endpoints));
  LOTSEN_TRY_DO(buildWorkers(die));
  LOTSEN_TRY_DO(buildDesk());
  buildListener();
  tellExpiries();
  return done();
}

Status Gateway::Parts::openStore(const std::function<void()>& fatal) {
  std::error_code failed;
  std::filesystem::create_directories(settings.dataFolder, failed);
  if (failed)
    return fail(Code::Unavailable, "the data folder " + settings.dataFolder + " cannot be made: " + failed.message());
  store::SqliteStore::Options options;
  options.path = (std::filesystem::path(settings.dataFolder) / "lotsen.db").string();
  options.onFatal = [this, fatal](const Error& error) {
    log.error("store.failed", {{"code", codeName(error.code)}, {"message", error.message}});
    fatal();
  };
  LOTSEN_TRY(store, store::SqliteStore::open(std::move(options), clock.now()));
  LOTSEN_TRY(owner, store->openNode("lotsen", clock.now()));
  log.info("store.open", {{"node", owner.node}, {"epoch", owner.epoch}});
  return done();
}

Status Gateway::Parts::buildWorkers(const std::function<void()>& fatal) {
  const auto dead = [this, fatal](const Error& error) {
    log.error("store.failed", {{"code", codeName(error.code)}, {"message", error.message}});
    fatal();
  };
  core = std::make_unique<queue::Core>(
      *store, *transport, clock, random, owner, settings.lanes,
      [this](const store::Claimed& claimed, const queue::Answer& answer) {
        tellUnanswered(claimed, answer);
        auto verdict = service::classifyAnswer(*configuration->get(), claimed, answer);
        if (verdict.reason == service::reason::kUnknownAcknowledgement) {
          metrics
              .counter("lotsen_acknowledgement_codes_unknown_total",
                       "Answers to messages whose acknowledgement has a code that the partner's dictionary lacks.")
              .add();
        }
        return verdict;
      },
      [this](const store::Claimed& claimed, const queue::Answer& answer) {
        tellUnanswered(claimed, answer);
        const auto now = configuration->get();
        const service::Partner* partner = now->partner(claimed.delivery.partner);
        return service::understandReadBack(now->schema(), claimed.delivery.messageId,
                                           partner != nullptr && partner->personality.acknowledges, answer);
      });
  queue::Runner::Hooks hooks;
  hooks.finished = [this] { wakeWorkers(); };
  hooks.fatal = dead;
  delivery = std::make_unique<queue::Runner>(*core, *transport, clock, std::move(hooks));
  const auto judged = [this](const service::Judgement& judgement) { validated.count(judgement); };
  for (std::size_t i = 0; i < settings.workers; ++i) {
    LOTSEN_TRY(auto fonts, letter::Fonts::open(configuration->get()->fontDirectories));
    service::WorkerHooks workerHooks;
    workerHooks.legsChanged = [this] { transport->wake(); };
    workerHooks.troubled = [this](const Error& error) {
      metrics.counter("lotsen_thinking_failed_total", "Passes over a transfer that failed and will be tried again.")
          .add();
      log.warning("thinking.failed", {{"code", codeName(error.code)}, {"message", error.message}});
    };
    workerHooks.fatal = dead;
    workers.push_back(std::make_unique<service::Worker>(*store, *configuration, clock,
                                                        service::Thinker(clock, random, std::move(fonts), judged),
                                                        owner, std::move(workerHooks)));
  }
  return done();
}

/// What people ask for, and what happens by the calendar.
Status Gateway::Parts::buildDesk() {
  const auto wake = [this] {
    wakeWorkers();
    transport->wake();
  };
  desk = std::make_unique<service::Operator>(*store, clock, wake);
  LOTSEN_TRY(auto fonts, letter::Fonts::open(configuration->get()->fontDirectories));
  const auto judged = [this](const service::Judgement& judgement) { validated.count(judgement); };
  remaker = std::make_unique<service::Remaker>(*store, clock, service::Thinker(clock, random, std::move(fonts), judged),
                                               owner, wake);
  service::RetentionRunner::Hooks hooks;
  hooks.removed = [this](const store::Purged& purged) {
    const auto count = [this](std::string_view what, std::uint64_t n) {
      metrics.counter("lotsen_retention_removed_total", "What retention has removed.", {{"what", std::string(what)}})
          .add(n);
    };
    count("records", purged.records);
    count("deliveries", purged.deliveries);
    count("attempts", purged.attempts);
    count("audit", purged.audit);
  };
  hooks.troubled = [this](const Error& error) {
    log.error("retention.stopped", {{"code", codeName(error.code)}, {"message", error.message}});
  };
  retention = std::make_unique<service::RetentionRunner>(*store, clock, settings.keepFor, std::move(hooks));
  return done();
}

void Gateway::Parts::buildListener() {
  receptionist = std::make_unique<service::Receptionist>(
      *store, clock, random, [this] { wakeWorkers(); },
      [this](const service::Judgement& judgement) { validated.count(judgement); });
  whatIf = std::make_unique<service::WhatIf>(*store, clock);
  api = std::make_unique<inbound::Api>(inbound::ApiParts{*store, *configuration, *receptionist, *whatIf, *desk,
                                                         *remaker, *credentials, clock, metrics, accepting,
                                                         inbound::kOpenApi, settings.bodyLimit});
  router = std::make_unique<inbound::Router>(metrics, inbound::refusal);
  api->addTo(*router);
  inbound::addObservation(*router, metrics, health);

  inbound::Application application;
  application.handle = [this](const http::Request& request, const inbound::ConnectionInfo& connection) {
    if (request.path() == "/metrics") sample();
    return router->handle(request, connection);
  };
  application.admit = [this](const http::Request& head, const inbound::ConnectionInfo& connection) {
    return inbound::Admission{router->bodyLimit(head), api->admit(head, connection)};
  };
  application.refuse = inbound::refusal;
  application.echoed = {"X-Request-Id", "X-Correlation-Id"};
  inbound::ServerConfig config;
  config.address = settings.address;
  config.port = settings.port;
  config.tls = settings.tls;
  config.maxConnections = settings.maxConnections;
  config.limits.body = settings.bodyLimit;
  server = std::make_unique<inbound::Server>(config, std::move(application), clock, metrics, log);
}

// Why nobody answered is for the log only: the delivery keeps a reason code, and what failed below HTTP (a name, a
// certificate) is the same for all deliveries to the endpoint.
void Gateway::Parts::tellUnanswered(const store::Claimed& claimed, const queue::Answer& answer) {
  if (answer.phase == queue::Phase::Answered) return;
  log.warning("delivery.unanswered", {{"delivery", claimed.delivery.id},
                                      {"partner", claimed.delivery.partner},
                                      {"sent", answer.phase == queue::Phase::Sent},
                                      {"why", answer.error}});
}

void Gateway::Parts::tellExpiries() {
  for (const auto& used : settings.certificates) {
    metrics
        .gauge("lotsen_certificate_not_after_seconds",
               "When the certificate that expires first in a file will expire, in seconds since 1970.",
               {{"use", used.use}, {"partner", used.partner}})
        .set(toMillis(used.certificate.notAfter) / 1000);
  }
  for (const auto& expiry : expiries(settings, clock.now()))
    log.warning(expiry.valid ? "certificate.expires_soon" : "certificate.not_valid",
                {{"file", expiry.file}, {"what", expiry.text}});
}

void Gateway::Parts::sample() {
  const std::lock_guard lock(sampling);
  const Instant now = clock.now();
  if (now - sampledAt < kCountsAge) return;
  sampledAt = now;
  const auto counts = store->counts();
  if (!counts.ok()) return;
  for (const auto& [state, count] : counts->transfers) {
    metrics.gauge("lotsen_transfers", "Transfers by state.", {{"state", state}}).set(static_cast<std::int64_t>(count));
  }
  for (const auto& [state, count] : counts->deliveries) {
    metrics.gauge("lotsen_deliveries", "Deliveries by state.", {{"state", state}})
        .set(static_cast<std::int64_t>(count));
  }
  metrics.gauge("lotsen_records", "Records kept.").set(static_cast<std::int64_t>(counts->records));
  const auto age =
      counts->oldestReady ? std::chrono::duration_cast<std::chrono::seconds>(now - *counts->oldestReady).count() : 0;
  metrics.gauge("lotsen_oldest_ready_seconds", "Age of the oldest delivery that may be sent.")
      .set(std::max<std::int64_t>(0, age));
  sampleAlarms(now);
  sampleDelivery();
}

void Gateway::Parts::sampleAlarms(Instant now) {
  const auto alarms = store->alarms(now);
  if (!alarms.ok()) return;
  for (std::size_t i = 0; i < alarms->oldHeads.size(); ++i) {
    metrics
        .gauge("lotsen_delivery_old_heads",
               "Deliveries that are next in their lane and have had their bytes for longer than so many minutes.",
               {{"minutes", std::to_string(store::kHeadAges[i].count())}})
        .set(static_cast<std::int64_t>(alarms->oldHeads[i]));
  }
  metrics.gauge("lotsen_acknowledgements_overdue", "Deliveries whose business acknowledgement is missing for too long.")
      .set(static_cast<std::int64_t>(alarms->overdue));
  metrics.gauge("lotsen_endpoints_paused", "Endpoints that a person has stopped.")
      .set(static_cast<std::int64_t>(alarms->paused.size()));
}

// The core counts for itself; here its counts become those of the registry.
void Gateway::Parts::sampleDelivery() {
  const queue::Counters& counters = core->counters();
  const auto show = [this](std::string_view what, const std::atomic<std::uint64_t>& count) {
    auto& counter =
        metrics.counter("lotsen_delivery_events_total", "What the delivery core did.", {{"event", std::string(what)}});
    counter.add(count.load() - counter.value());
  };
  show("started", counters.started);
  show("done", counters.done);
  show("awaiting", counters.awaiting);
  show("retried", counters.retried);
  show("ambiguous", counters.ambiguous);
  show("parked", counters.parked);
  show("stale", counters.stale);
  show("withheld", counters.withheld);
  show("stalled", counters.stalled);
  show("leases-lost", counters.leasesLost);
  show("acknowledgements-overdue", counters.overdue);
  show("orphans", counters.orphans);
  show("breakers-opened", counters.breakersOpened);
  show("read-backs", counters.readBacks);
  show("found-there", counters.foundThere);
  show("unknown-endpoints", counters.unknownEndpoints);
}

Gateway::Gateway(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Gateway::~Gateway() {
  stop();
}

Result<std::unique_ptr<Gateway>> Gateway::create(Loaded loaded, const std::function<void()>& fatal) {
  auto parts = std::make_unique<Parts>();
  LOTSEN_TRY_DO(parts->build(std::move(loaded), fatal));
  return std::unique_ptr<Gateway>(new Gateway(std::move(parts)));
}

Status Gateway::start() {
  auto& parts = *parts_;
  parts.delivery->start();
  for (auto& worker : parts.workers) worker->start();
  parts.retention->start();
  parts.accepting = true;
  LOTSEN_TRY_DO(parts.server->start());
  parts.health.good("listener");
  parts.log.info("gateway.started", {{"port", static_cast<std::int64_t>(parts.server->port())},
                                     {"revision", parts.configuration->get()->revision}});
  return done();
}

void Gateway::stop() {
  auto& parts = *parts_;
  if (!parts.accepting.exchange(false) && parts.server->port() == 0) return;
  parts.health.bad("listener", "stopping");
  parts.server->stop();
  parts.retention->stop();
  for (auto& worker : parts.workers) worker->stop();
  parts.delivery->stop();
  parts.log.info("gateway.stopped");
}

Status Gateway::reload(Loaded loaded) {
  auto& parts = *parts_;
  if ((loaded.settings.tls != nullptr) != (parts.settings.tls != nullptr))
    return fail(Code::Invalid, "[listen] cannot change between plain and TLS while it runs; restart the gateway");
  LOTSEN_TRY_DO(checkReplaced(parts.settings, loaded.settings, parts.clock.now()));
  LOTSEN_TRY(auto known, identity::Credentials::load(loaded.settings.tokens, loaded.settings.clientCertificates));
  parts.credentials->set(std::make_shared<const identity::Credentials>(std::move(known)));
  parts.transport->replaceTls(loaded.settings.endpoints);
  // Connections keep their certificate only as long as nothing has changed about it.
  if (parts.settings.tls && !parts.settings.tls->sameAs(*loaded.settings.tls)) {
    parts.settings.tls = loaded.settings.tls;
    parts.server->setTls(loaded.settings.tls);
    parts.log.info("http.certificate_replaced");
  }
  parts.settings.certificates = std::move(loaded.settings.certificates);
  parts.tellExpiries();
  parts.log.info("gateway.reloaded", {{"revision", loaded.configuration->revision}});
  parts.configuration->set(std::move(loaded.configuration));
  parts.wakeWorkers();
  return done();
}

void Gateway::wake() {
  parts_->wakeWorkers();
}
std::uint16_t Gateway::port() const {
  return parts_->server->port();
}
store::Store& Gateway::store() {
  return *parts_->store;
}

}  // namespace lotsen::app
