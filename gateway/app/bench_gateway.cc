#include "gateway/app/bench.h"
#include "gateway/app/files.h"
#include "gateway/app/gateway.h"
#include "gateway/base/text.h"
#include "gateway/service/reception.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <thread>

namespace lotsen::app {

namespace {

using SteadyClock = std::chrono::steady_clock;

std::optional<Loaded> loadFor(const Arguments& arguments) {
  Faults faults;
  auto loaded = load(arguments.one("--config"), faults);
  for (const auto& fault : faults.list) std::cerr << told(fault) << '\n';
  return loaded;
}

double residentMegabytes() {
  std::ifstream status("/proc/self/statm");
  long pages = 0, resident = 0;
  status >> pages >> resident;
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1e6;
}

// The record as a pattern: the case key is replaced by one of its own for each case.
class Records {
 public:
  Records(std::string text, std::string caseKey) : text_(std::move(text)), caseKey_(std::move(caseKey)) {}
  std::string make(std::size_t number) const {
    std::string out = text_;
    const std::string fresh = caseKey_ + "-" + std::to_string(number);
    for (auto at = out.find(caseKey_); at != std::string::npos; at = out.find(caseKey_, at + fresh.size()))
      out.replace(at, caseKey_.size(), fresh);
    return out;
  }

 private:
  std::string text_, caseKey_;
};

std::optional<Records> recordsFrom(const Arguments& arguments, const service::Configuration& configuration,
                                   const std::string& channelName) {
  std::string bytes;
  if (!readInput(arguments.one("--source"), bytes)) return std::nullopt;
  const auto channel = configuration.channels.find(channelName);
  if (channel == configuration.channels.end()) {
    std::cerr << "lotsen bench: no channel " << channelName << '\n';
    return std::nullopt;
  }
  fhir::Issues issues;
  fhir::ReadOptions options;
  options.type = channel->second.model;
  const auto record = fhir::readJson(bytes, configuration.schema(), options, issues);
  printIssues(arguments.one("--source"), issues);
  if (!record.ok()) return std::nullopt;
  const std::string caseKey(fhir::valueAt(*record, record->root(), channel->second.casePath));
  return Records(std::move(bytes), caseKey);
}

std::size_t clientsOf(const Arguments& arguments, const std::string& ifNotSaid) {
  return static_cast<std::size_t>(std::max(1, std::atoi(arguments.one("--clients", ifNotSaid).c_str())));
}

// One kept-alive connection that posts and waits for the whole answer.
class Client {
 public:
  explicit Client(std::uint16_t port) : descriptor_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sockaddr generic{};
    std::memcpy(&generic, &address, sizeof generic);
    good_ = descriptor_ >= 0 && ::connect(descriptor_, &generic, sizeof address) == 0;
  }
  ~Client() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// The status, 0 when the connection failed.
  int post(const std::string& request) {
    for (std::size_t sent = 0; good_ && sent < request.size();) {
      const auto n = ::send(descriptor_, request.data() + sent, request.size() - sent, MSG_NOSIGNAL);
      good_ = n > 0;
      sent += static_cast<std::size_t>(std::max<ssize_t>(n, 0));
    }
    std::string answer;
    char buffer[4096];
    while (good_) {
      const auto n = ::recv(descriptor_, buffer, sizeof buffer, 0);
      good_ = n > 0;
      if (!good_) break;
      answer.append(buffer, static_cast<std::size_t>(n));
      const auto head = answer.find("\r\n\r\n");
      if (head == std::string::npos) continue;
      const auto length = answer.find("Content-Length: ");
      const auto body = length == std::string::npos ? 0 : std::strtoul(answer.c_str() + length + 16, nullptr, 10);
      if (answer.size() >= head + 4 + body) return std::atoi(answer.c_str() + 9);
    }
    return 0;
  }

 private:
  int descriptor_ = -1;
  bool good_ = false;
};

}  // namespace

int benchStart(const Arguments& arguments, std::size_t) {
  const auto begin = SteadyClock::now();
  auto loaded = loadFor(arguments);
  if (!loaded) return kWrongUse;
  auto gateway = Gateway::create(std::move(*loaded), [] {});
  const Status started = gateway.ok() ? (*gateway)->start() : Status(gateway.error());
  if (!started.ok()) {
    std::cerr << "lotsen bench start: " << started.error().message << '\n';
    return kDataFailed;
  }
  const double ms = std::chrono::duration<double, std::milli>(SteadyClock::now() - begin).count();
  std::printf("{\"bench\":\"start\",\"ms\":%.1f,\"mb\":%.1f}\n", ms, residentMegabytes());
  return kFine;
}

int benchAccept(const Arguments& arguments, std::size_t iterations) {
  auto loaded = loadFor(arguments);
  if (!loaded) return kWrongUse;
  const std::string channel = arguments.one("--channel", "pas/referral");
  const auto records = recordsFrom(arguments, *loaded->configuration, channel);
  std::string token;
  if (!records || !readInput(arguments.one("--token"), token)) return kWrongUse;
  token = std::string(trim(token));
  auto gateway = Gateway::create(std::move(*loaded), [] {});
  const Status started = gateway.ok() ? (*gateway)->start() : Status(gateway.error());
  if (!started.ok()) {
    std::cerr << "lotsen bench accept: " << started.error().message << '\n';
    return kDataFailed;
  }
  const auto before = (*gateway)->store().counts();

  const std::size_t clients = clientsOf(arguments, "64");
  const std::size_t total = iterations == 0 ? 20'000 : iterations;
  std::atomic<std::size_t> next{0}, accepted{0};
  std::vector<std::vector<double>> latencies(clients);
  const double cpuBefore = cpuSeconds();
  const auto start = SteadyClock::now();
  std::vector<std::thread> threads;
  for (std::size_t c = 0; c < clients; ++c) {
    threads.emplace_back([&, c] {
      Client client((*gateway)->port());
      for (std::size_t number = next++; number < total; number = next++) {
        const std::string body = records->make(number);
        const std::string request =
            "POST /intake/" + channel + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + token +
            "\r\nContent-Type: application/json\r\nIdempotency-Key: bench-" + std::to_string(number) +
            "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
        const auto sent = SteadyClock::now();
        if (client.post(request) == 202) ++accepted;
        latencies[c].push_back(std::chrono::duration<double, std::milli>(SteadyClock::now() - sent).count());
      }
    });
  }
  for (auto& thread : threads) thread.join();
  const double seconds = std::chrono::duration<double>(SteadyClock::now() - start).count();
  const double cpu = cpuSeconds() - cpuBefore;
  const auto after = (*gateway)->store().counts();
  std::vector<double> all;
  for (const auto& some : latencies) all.insert(all.end(), some.begin(), some.end());
  std::sort(all.begin(), all.end());
  const std::size_t rows = before.ok() && after.ok() ? after->records - before->records : 0;
  const auto percentile = [&](double part) {
    return all.empty()
               ? 0
               : all[std::min(all.size() - 1, static_cast<std::size_t>(part * static_cast<double>(all.size())))];
  };
  const int exit = printMeasured("accept", {accepted.load(), seconds, cpu},
                                 {{"rows", static_cast<double>(rows)},
                                  {"clients", static_cast<double>(clients)},
                                  {"p50_ms", percentile(0.5)},
                                  {"p99_ms", percentile(0.99)},
                                  {"mb", residentMegabytes()}});
  if (rows == accepted && accepted == total) return exit;
  std::cerr << "lotsen bench accept: " << total << " sent, " << accepted << " accepted, " << rows << " rows\n";
  return kDataFailed;
}

int benchDeliver(const Arguments& arguments, std::size_t iterations) {
  auto loaded = loadFor(arguments);
  if (!loaded) return kWrongUse;
  const std::string channel = arguments.one("--channel", "pas/referral");
  const auto configuration = loaded->configuration;
  const auto records = recordsFrom(arguments, *configuration, channel);
  if (!records) return kWrongUse;
  auto gateway = Gateway::create(std::move(*loaded), [] {});
  const Status started = gateway.ok() ? (*gateway)->start() : Status(gateway.error());
  if (!started.ok()) {
    std::cerr << "lotsen bench deliver: " << started.error().message << '\n';
    return kDataFailed;
  }
  // Records go in by the receptionist and messages leave to the partner that the configuration names: the receiver is
  // part of the measurement and must be running.
  SystemClock clock;
  SystemRandom random;
  service::Receptionist receptionist((*gateway)->store(), clock, random, [&] { (*gateway)->wake(); },
                                     [](const service::Judgement&) {});
  identity::Principal principal{arguments.one("--partner"), {identity::Permission::Intake}};
  const std::size_t total = iterations == 0 ? 2'000 : iterations;
  const std::string until = arguments.one("--until");
  const auto finished = [&]() -> std::size_t {
    const auto counts = (*gateway)->store().counts();
    if (!counts.ok()) return 0;
    for (const auto& [state, count] : until.empty() ? counts->transfers : counts->deliveries) {
      if (state == (until.empty() ? "completed" : until)) return count;
    }
    return 0;
  };
  const std::size_t before = finished();
  const double cpuBefore = cpuSeconds();
  const auto start = SteadyClock::now();
  std::atomic<std::size_t> next{0}, refused{0};
  std::vector<std::thread> threads;
  for (std::size_t c = 0; c < clientsOf(arguments, "1"); ++c) {
    threads.emplace_back([&] {
      for (std::size_t number = next++; number < total; number = next++) {
        const std::string key = "bench-" + std::to_string(number);
        const auto reception =
            receptionist.record(*configuration, {&principal, channel, "application/json", key, records->make(number)});
        if (reception.verdict != service::Verdict::Accepted) ++refused;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  if (refused != 0) {
    std::cerr << "lotsen bench deliver: " << refused << " of " << total << " records were not accepted\n";
    return kDataFailed;
  }
  const auto patience = SteadyClock::now() + std::chrono::minutes(2);
  while (finished() < before + total && SteadyClock::now() < patience)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const double seconds = std::chrono::duration<double>(SteadyClock::now() - start).count();
  const double cpu = cpuSeconds() - cpuBefore;
  const std::size_t completed = finished() - before;
  if (completed < total)
    std::cerr << "lotsen bench deliver: only " << completed << " of " << total << " transfers completed in time\n";
  const int exit = printMeasured("deliver", {completed, seconds, cpu}, {{"mb", residentMegabytes()}});
  return completed == total ? exit : kDataFailed;
}

}  // namespace lotsen::app
