#include "gateway/app/arguments.h"
#include "gateway/app/certificates.h"
#include "gateway/app/gateway.h"
#include "gateway/app/verbs.h"

#include <pthread.h>
#include <signal.h>

#include <fstream>
#include <iostream>

namespace lotsen::app {

namespace {

void printFaults(const Faults& faults) {
  for (const auto& fault : faults.list) std::cerr << told(fault) << '\n';
}

// TERM and INT end, HUP reloads. Blocked in main before any thread exists, so that one thread gets them.
sigset_t signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
  return set;
}

bool writePort(const std::string& file, std::uint16_t port) {
  if (file.empty()) return true;
  const std::string draft = file + ".new";
  {
    std::ofstream out(draft);
    out << port << '\n';
    if (!out.flush().good()) return false;
  }
  return std::rename(draft.c_str(), file.c_str()) == 0;
}

}  // namespace

int checkVerb(const Words& words) {
  static const Usage kUsage{"check",
                            "",
                            "Reads configuration, mappings, templates and certificates as serve would, and says every "
                            "fault with file and\nline; warns of certificates that expire within 30 days.",
                            {{"--config", "FILE", "the configuration"}},
                            0,
                            0};
  int exit = kFine;
  const auto arguments = Arguments::parse(kUsage, words, exit);
  if (!arguments) return exit;
  if (!arguments->has("--config")) {
    std::cerr << "lotsen check: --config FILE is needed\n";
    return kWrongUse;
  }
  Faults faults;
  const auto loaded = load(arguments->one("--config"), faults);
  if (loaded) {
    const auto known = identity::Credentials::load(loaded->settings.tokens, loaded->settings.clientCertificates);
    if (!known.ok()) faults.add(arguments->one("--config"), 0, known.error().message);
    for (const auto& expiry : expiries(loaded->settings, SystemClock().now())) {
      if (expiry.valid) std::cerr << expiry.file << ": warning: " << expiry.text << '\n';
      if (!expiry.valid) faults.add(expiry.file, 0, expiry.text);
    }
  }
  printFaults(faults);
  if (faults.any()) {
    std::cerr << faults.list.size() << (faults.list.size() == 1 ? " fault\n" : " faults\n");
    return kDataFailed;
  }
  const auto& configuration = *loaded->configuration;
  std::cout << "fine: " << configuration.partners.size() << " partners, " << configuration.agreements.size()
            << " agreements, " << configuration.channels.size() << " channels, " << configuration.legs.size()
            << " legs, revision " << configuration.revision << '\n';
  return kFine;
}

int serveVerb(const Words& words) {
  static const Usage kUsage{"serve",
                            "",
                            "Runs the gateway until SIGTERM or SIGINT; SIGHUP reloads the configuration.",
                            {{"--config", "FILE", "the configuration"}},
                            0,
                            0};
  int exit = kFine;
  const auto arguments = Arguments::parse(kUsage, words, exit);
  if (!arguments) return exit;
  const std::string file = arguments->one("--config");
  if (file.empty()) {
    std::cerr << "lotsen serve: --config FILE is needed\n";
    return kWrongUse;
  }
  const sigset_t set = signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);

  Faults faults;
  auto loaded = load(file, faults);
  if (!loaded) {
    printFaults(faults);
    return kWrongUse;
  }
  const std::string portFile = loaded->settings.portFile, address = loaded->settings.address;
  const bool tls = loaded->settings.tls != nullptr;
  // A dead store ends the process: what was accepted is on disk, and the next start recovers.
  std::atomic<bool> dead{false};
  auto gateway = Gateway::create(std::move(*loaded), [&dead] {
    dead = true;
    kill(getpid(), SIGTERM);
  });
  Status started = gateway.ok() ? (*gateway)->start() : Status(gateway.error());
  if (!started.ok()) {
    std::cerr << "lotsen serve: " << started.error().message << '\n';
    return kWrongUse;
  }
  std::cerr << "lotsen: listening on " << (tls ? "https" : "http") << "://" << address << ':' << (*gateway)->port()
            << '\n';
  if (!writePort(portFile, (*gateway)->port())) {
    std::cerr << "lotsen serve: cannot write " << portFile << '\n';
    return kWrongUse;
  }

  for (int got = 0; sigwait(&set, &got) == 0 && got == SIGHUP;) {
    Faults again;
    auto next = load(file, again);
    if (next) {
      const Status swapped = (*gateway)->reload(std::move(*next));
      if (!swapped.ok()) again.add(file, 0, swapped.error().message);
    }
    if (!again.any()) continue;
    printFaults(again);
    std::cerr << "lotsen: the old configuration stays\n";
  }
  (*gateway)->stop();
  return dead ? kDataFailed : kFine;
}

}  // namespace lotsen::app
