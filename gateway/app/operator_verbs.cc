// resend, park, release, cancel, confirm, pause, resume, settle: what an operator asks of deliveries, endpoints and
// transfers of a running gateway. The verbs on deliveries are one: the same words, the same table, another change.
#include "gateway/app/gateway_call.h"
#include "gateway/app/sections.h"
#include "gateway/app/verbs.h"
#include "gateway/inbound/orders.h"

#include <algorithm>
#include <charconv>
#include <iostream>

namespace lotsen::app {

namespace {

std::string filterHelp(std::string_view what) {
  return std::string(what) +
         "\n\n"
         "Name deliveries by id, or mean all that fit a filter. A filter is a dry run: it shows what would\n"
         "happen and how many; --yes N does it, if the filter still means N deliveries, else nothing is done.\n\n"
         "Exit status: 0 all of it was done (or would be), 1 some or all was not, or the number has changed,\n"
         "2 wrong use, or a gateway that refuses or does not answer (then nothing is on stdout).";
}

Usage deliveryUsage(store::Verb verb, const std::string& help) {
  std::vector<Option> options = selectionOptions();
  options.push_back({"--state", "STATE", "filter: in this state; default: those that the verb is for"});
  options.push_back({"--dry-run", "", "show what would happen; a filter without --yes is one"});
  options.push_back({"--rate", "N", "by filter, resend and release: at most so many a second; default 10"});
  options.push_back({"--why", "TEXT", "needed: stands in the timeline beside your name; no patient data"});
  options.push_back({"--format", "text|json", "default text"});
  return {store::name(verb), "[DELIVERY…]", help, withGatewayOptions(std::move(options)), 0, 1'000};
}

class OrderWords {
 public:
  OrderWords(std::string_view verb, const Arguments& arguments) : verb_(verb), arguments_(arguments) {
    order.which.deliveries = arguments.positional();
    order.why = arguments.one("--why");
  }

  /// False after telling the fault.
  bool read() {
    if (!readFilter()) return false;
    const bool byFilter = order.which.filter.has_value();
    if (byFilter == !order.which.deliveries.empty())
      return wrong("give ids, or a filter (--transfer, --partner, --reason …): one of the two");
    std::uint64_t yes = 0, most = order.which.most, rate = order.perSecond;
    if (!number("--yes", yes) || !number("--most", most) || !number("--rate", rate)) return false;
    if (arguments_.has("--yes") && !byFilter) return wrong("--yes belongs to a filter");
    if (arguments_.has("--yes")) order.which.expected = yes;
    order.which.most = static_cast<std::size_t>(most);
    order.perSecond = static_cast<std::uint32_t>(rate);
    order.dryRun = arguments_.has("--dry-run") || (byFilter && !arguments_.has("--yes"));
    if (!order.dryRun && order.why.empty()) return wrong("--why TEXT is needed: it stands in the timeline");
    return true;
  }

  service::Order order;

 private:
  bool wrong(const std::string& text) const {
    std::cerr << "lotsen " << verb_ << ": " << text << '\n';
    return false;
  }

  bool number(const std::string& option, std::uint64_t& into) const {
    if (!arguments_.has(option)) return true;
    const std::string text = arguments_.one(option);
    const auto read = std::from_chars(text.data(), text.data() + text.size(), into);
    const bool whole = read.ec == std::errc() && read.ptr == text.data() + text.size() && into <= 1'000'000;
    return whole || wrong(option + ": give a whole number");
  }

  bool readFilter() {
    store::DeliveryFilter filter;
    filter.transfer = arguments_.one("--transfer");
    filter.partner = arguments_.one("--partner");
    filter.endpoint = arguments_.one("--endpoint");
    filter.reason = arguments_.one("--reason");
    if (arguments_.has("--role")) {
      filter.role = inbound::roleOf(arguments_.one("--role"));
      if (!filter.role) return wrong("--role: there is no kind of leg " + arguments_.one("--role"));
    }
    if (arguments_.has("--state")) {
      const auto state = inbound::deliveryStateOf(arguments_.one("--state"));
      if (!state) return wrong("--state: there is no state " + arguments_.one("--state"));
      filter.states = {*state};
    }
    if (arguments_.has("--older-than")) {
      const auto age = parseDuration(arguments_.one("--older-than"));
      if (!age) return wrong("--older-than: give a duration such as 30min, 72h or 10d");
      filter.createdBefore = SystemClock().now() - *age;
    }
    for (const char* option :
         {"--transfer", "--partner", "--endpoint", "--reason", "--role", "--state", "--older-than", "--channel"}) {
      if (arguments_.has(option)) order.which.filter = filter;
    }
    return true;
  }

  const std::string_view verb_;
  const Arguments& arguments_;
};

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.resize(width, ' ');
  return text;
}

void printReport(const inbound::OrderAnswer& answer, store::Verb verb) {
  if (!answer.lines.empty()) {
    std::cout << padded("DELIVERY", 38) << padded("ROLE", 17) << padded("PARTNER", 18) << padded("STATE", 11)
              << padded("REASON", 30) << (answer.dryRun ? "WOULD BE" : "OUTCOME") << '\n';
  }
  for (const auto& line : answer.lines) {
    std::cout << padded(line.delivery, 38) << padded(line.role, 17) << padded(line.partner, 18)
              << padded(line.state, 11) << padded(line.reason, 30) << line.outcome << '\n';
  }
  std::cout << answer.applied << (answer.applied == 1 ? " delivery" : " deliveries")
            << (answer.dryRun ? " would be meant by " : " changed by ") << store::name(verb) << '\n';
}

/// What --yes must say to do what a dry run has shown: also what came to nothing only when it was thought about.
std::uint64_t meant(const inbound::OrderAnswer& answer) {
  return answer.applied +
         static_cast<std::uint64_t>(std::count_if(answer.lines.begin(), answer.lines.end(), [](const auto& line) {
           return line.outcome == service::kGatesShut || line.outcome == service::kMapFails;
         }));
}
std::uint64_t meant(const inbound::ReopenAnswer& answer) {
  return answer.lines.size();
}

/// Posts an order and prints its report, and how to do what a filter has only shown. Returns the exit status.
template <typename Answer, typename Print>
int tell(std::string_view verb, const Arguments& arguments, const std::string& path, const std::string& order,
         Result<Answer> (*read)(std::string_view), const Print& print) {
  const auto wrong = [&](const std::string& text) {
    std::cerr << "lotsen " << verb << ": " << text << '\n';
    return kWrongUse;
  };
  const std::string format = arguments.one("--format", "text");
  if (format != "text" && format != "json") return wrong("no format " + format + "; take text or json");
  auto gateway = GatewayCall::open(std::string(verb), arguments);
  if (!gateway) return kWrongUse;
  const auto body = gateway->post(path, order);
  if (!body) return gateway->status() == 412 ? kDataFailed : kWrongUse;
  const auto answer = read(*body);
  if (!answer.ok()) return wrong(answer.error().message);
  if (format == "json") {
    std::cout << *body << '\n';
  } else {
    print(*answer);
  }
  if (answer->dryRun && arguments.positional().empty() && answer->applied > 0)
    std::cerr << "nothing was done; to do it: the same with --yes " << meant(*answer) << " --why TEXT\n";
  return answer->applied == answer->lines.size() && answer->applied > 0 ? kFine : kDataFailed;
}

int deliveryVerb(store::Verb verb, const Usage& usage, const Words& words) {
  int exit = kFine;
  const auto arguments = Arguments::parse(usage, words, exit);
  if (!arguments) return exit;
  OrderWords asked(store::name(verb), *arguments);
  if (!asked.read()) return kWrongUse;
  asked.order.verb = verb;
  return tell(store::name(verb), *arguments, "/api/v1/deliveries", inbound::orderBody(asked.order),
              inbound::readOrderJson, [verb](const auto& answer) { printReport(answer, verb); });
}

void printRemakes(const inbound::OrderAnswer& answer) {
  for (const auto& line : answer.lines) {
    std::cout << line.delivery << "  " << line.role << " to " << line.partner << ", " << line.state
              << (line.reason.empty() ? "" : " (" + line.reason + ")") << ": " << line.outcome;
    if (!line.made.empty()) std::cout << ", made anew as " << line.made;
    if (!line.parked.empty()) std::cout << (answer.dryRun ? ", would be parked: " : ", parked: ") << line.parked;
    std::cout << '\n';
    for (const auto& difference : line.differences) std::cout << "    " << difference << '\n';
  }
  std::cout << answer.applied << (answer.applied == 1 ? " delivery" : " deliveries")
            << (answer.dryRun ? " would be made anew\n" : " made anew\n");
}

void printReopened(const inbound::ReopenAnswer& answer) {
  for (const auto& line : answer.lines) {
    std::cout << line.record;
    if (!line.channel.empty()) std::cout << "  " << line.channel << " version " << line.version;
    if (!line.reason.empty()) std::cout << ", " << line.reason;
    std::cout << ": " << line.outcome;
    if (!line.reasonNow.empty()) std::cout << ", still " << line.reasonNow;
    if (!line.firstFault.empty()) std::cout << " (" << line.firstFault << ')';
    std::cout << '\n';
  }
  std::cout << answer.applied << " of " << answer.lines.size() << (answer.lines.size() == 1 ? " record" : " records")
            << (answer.dryRun ? " would be understood\n" : " understood\n");
}

constexpr std::string_view kEndpoints = "/api/v1/endpoints/";

/// A verb on one endpoint or transfer, which stands behind `path`; `done` is told of it.
struct OneVerb {
  std::string_view verb, operand, path, done, help;
};

int oneVerb(const OneVerb& what, const Words& words) {
  const std::string verb(what.verb);
  const Usage usage{
      verb,
      what.operand,
      what.help,
      withGatewayOptions({{"--why", "TEXT", "needed: stands in the audit beside your name; no patient data"}}),
      1,
      1};
  int exit = kFine;
  const auto arguments = Arguments::parse(usage, words, exit);
  if (!arguments) return exit;
  if (!arguments->has("--why")) {
    std::cerr << "lotsen " << verb << ": --why TEXT is needed: it stands in the audit\n";
    return kWrongUse;
  }
  auto gateway = GatewayCall::open(verb, *arguments);
  if (!gateway) return kWrongUse;
  const std::string& name = arguments->positional()[0];
  const auto body =
      gateway->post(std::string(what.path) + name + "/" + verb, inbound::whyBody(arguments->one("--why")));
  if (!body) return gateway->status() == 404 || gateway->status() == 409 ? kDataFailed : kWrongUse;
  std::cout << name << ' ' << what.done << '\n';
  return kFine;
}

}  // namespace

std::vector<Option> selectionOptions() {
  return {{"--transfer", "ID", "filter: of this transfer"},
          {"--partner", "NAME", "filter: to this partner"},
          {"--endpoint", "NAME", "filter: at this endpoint"},
          {"--role", "ROLE", "filter: this kind of leg (provider, mediator, pas, receipt, patient-letter …)"},
          {"--reason", "CODE", "filter: with this reason (docs/reasons.md)"},
          {"--older-than", "DURATION", "filter: made longer ago than this, such as 30min, 72h"},
          {"--yes", "N", "do what the filter means, which must be N deliveries"},
          {"--most", "N", "a filter may mean at most so many; default 100"}};
}

int remakeDeliveries(const Arguments& arguments) {
  OrderWords asked("reprocess", arguments);
  if (!asked.read()) return kWrongUse;
  service::RemakeOrder order{asked.order.which, asked.order.dryRun, arguments.has("--delivered"), asked.order.why};
  return tell("reprocess", arguments, "/api/v1/deliveries/reprocess", inbound::remakeBody(order),
              inbound::readOrderJson, printRemakes);
}

int reopenRecords(const Arguments& arguments) {
  OrderWords asked("reprocess", arguments);
  if (!asked.read()) return kWrongUse;
  const service::Selection& which = asked.order.which;
  service::ReopenOrder order{which.deliveries, std::nullopt,       which.expected,
                             which.most,       asked.order.dryRun, asked.order.why};
  if (which.filter)
    order.filter = {which.filter->reason, which.filter->partner, arguments.one("--channel"), which.filter->transfer,
                    which.filter->createdBefore};
  return tell("reprocess", arguments, "/api/v1/records/reprocess", inbound::reopenBody(order), inbound::readReopenJson,
              printReopened);
}

int resendVerb(const Words& words) {
  static const std::string kHelp = filterHelp(
      "Sends parked deliveries again: the same bytes under the same identity, so that a receiver that drops\n"
      "repeats takes them once. One without bytes is made once more. What the receiver has, and what goes by\n"
      "itself, is left alone. A filter leaves out what may have arrived, unless --reason names why it is parked.");
  static const Usage kUsage = deliveryUsage(store::Verb::Resend, kHelp);
  return deliveryVerb(store::Verb::Resend, kUsage, words);
}

int parkVerb(const Words& words) {
  static const std::string kHelp = filterHelp(
      "Stops deliveries that are not finished until somebody releases them. One behind another parks when its\n"
      "turn comes. One that is being sent at this moment is left alone; ask again when its attempt has ended.");
  static const Usage kUsage = deliveryUsage(store::Verb::Park, kHelp);
  return deliveryVerb(store::Verb::Park, kUsage, words);
}

int releaseVerb(const Words& words) {
  static const std::string kHelp = filterHelp(
      "Lets deliveries that a person has parked go on where they stood. Gates are looked at as ever: nothing\n"
      "leaves that consent or BTF do not allow.");
  static const Usage kUsage = deliveryUsage(store::Verb::Release, kHelp);
  return deliveryVerb(store::Verb::Release, kUsage, words);
}

int cancelVerb(const Words& words) {
  static const std::string kHelp = filterHelp(
      "Ends deliveries that the receiver does not have, for good; what waits behind them goes on. What the\n"
      "receiver has is not undone by this.");
  static const Usage kUsage = deliveryUsage(store::Verb::Cancel, kHelp);
  return deliveryVerb(store::Verb::Cancel, kUsage, words);
}

int confirmVerb(const Words& words) {
  static const std::string kHelp = filterHelp(
      "Says that the receiver has these deliveries, as it has told you: they are done, and what waits for them\n"
      "goes on. Only for what may have left.");
  static const Usage kUsage = deliveryUsage(store::Verb::Confirm, kHelp);
  return deliveryVerb(store::Verb::Confirm, kUsage, words);
}

int pauseVerb(const Words& words) {
  return oneVerb({"pause", "ENDPOINT", kEndpoints, "is paused",
                  "Stops an endpoint: nothing more is sent there until somebody resumes it, also after a\n"
                  "restart. What is under way ends as it would. No attempt is burnt; deadlines go on."},
                 words);
}

int resumeVerb(const Words& words) {
  return oneVerb({"resume", "ENDPOINT", kEndpoints, "goes on", "Lets an endpoint go on that somebody has paused."},
                 words);
}

int settleVerb(const Words& words) {
  return oneVerb({"settle", "TRANSFER", "/api/v1/transfers/", "is settled",
                  "Says of a new version of referral or BTF that came after the message had left\n"
                  "(changed-after-sending): the receiver needs nothing new. What waits for that goes on; a later\n"
                  "version is asked for again. To send it instead: lotsen reprocess --delivered.\n\n"
                  "Exit status: 0 settled, 1 no such transfer or nothing to settle, 2 wrong use, or a gateway that\n"
                  "refuses or does not answer."},
                 words);
}

}  // namespace lotsen::app
