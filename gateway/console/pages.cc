#include "gateway/console/pages.h"

#include "gateway/service/notes.h"
#include "gateway/service/reasons.h"
#include "gateway/store/rules.h"
#include "gateway/sweden/civil_time.h"

namespace lotsen::console {

const char* const kContentSecurityPolicy =
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

namespace {

constexpr std::string_view kStyle = R"(
:root{color-scheme:light dark;--ink:#1b1b1b;--paper:#fff;--line:#d0d4d8;--soft:#f3f5f7;--good:#1d6b34;--wait:#7a4b00;--bad:#a3161a;--link:#0b4f8a}
@media(prefers-color-scheme:dark){:root{--ink:#ececec;--paper:#16181b;--line:#3a4047;--soft:#22262b;--good:#7fd69a;--wait:#f0c26b;--bad:#ff9a9a;--link:#8ec5ff}}
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:72rem;margin:0 auto;padding:1rem 1.25rem 3rem}
a{color:var(--link)}h1{font-size:1.5rem;margin:.5rem 0}h2{font-size:1.15rem;margin:1.5rem 0 .5rem}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.4rem .6rem;border-bottom:1px solid var(--line);vertical-align:top}
th{background:var(--soft);font-weight:600}code{font-size:.85em;overflow-wrap:anywhere}.good{color:var(--good)}.wait{color:var(--wait)}.bad{color:var(--bad)}
.state{font-weight:600;white-space:nowrap}dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem;margin:0}dt{font-weight:600}dd{margin:0}
form{display:flex;flex-wrap:wrap;gap:.4rem;align-items:end}label{font-size:.85rem}input,button{font:inherit;padding:.2rem .5rem}
.scroll{overflow-x:auto}nav{border-bottom:1px solid var(--line);padding-bottom:.5rem}
)";

void escape(std::string& out, std::string_view text) {
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
    }
  }
}

std::string escaped(std::string_view text) {
  std::string out;
  escape(out, text);
  return out;
}

// Swedish clock time, with the date; the full UTC instant stands in the title.
std::string clockTime(Instant at) {
  if (toMillis(at) == 0) return "–";
  const Instant local = at + sweden::utcOffset(at);
  const std::string text = formatInstant(local);
  return "<time datetime=\"" + formatInstant(at) + "\" title=\"" + formatInstant(at) + "\">" + text.substr(0, 10) +
         " " + text.substr(11, 8) + "</time>";
}

struct Word {
  std::string_view text, tone;
};

Word swedish(store::TransferState state) {
  switch (state) {
    case store::TransferState::Waiting: return {"väntar", "wait"};
    case store::TransferState::Released: return {"släppt", "wait"};
    case store::TransferState::Completed: return {"klar", "good"};
    case store::TransferState::Withdrawn: return {"återkallad", "wait"};
    case store::TransferState::Parked: return {"parkerad", "bad"};
  }
  return {"", ""};
}

Word swedish(store::DeliveryState state) {
  switch (state) {
    case store::DeliveryState::Held: return {"väntar på annat ben", "wait"};
    case store::DeliveryState::Queued: return {"i kö", "wait"};
    case store::DeliveryState::Ready: return {"redo", "wait"};
    case store::DeliveryState::Leased: return {"skickas", "wait"};
    case store::DeliveryState::Awaiting: return {"väntar på kvittens", "wait"};
    case store::DeliveryState::Resolving: return {"utreds", "bad"};
    case store::DeliveryState::Done: return {"klar", "good"};
    case store::DeliveryState::Parked: return {"parkerad", "bad"};
    case store::DeliveryState::Cancelled: return {"struken", "wait"};
  }
  return {"", ""};
}

std::string_view swedish(store::Role role) {
  switch (role) {
    case store::Role::Provider: return "vårdgivare";
    case store::Role::Mediator: return "förmedlingsfunktion";
    case store::Role::Pas: return "avregistrering i PAS";
    case store::Role::Receipt: return "utlämnandekvitto";
    case store::Role::PatientLetter: return "patientbrev";
    case store::Role::ClinicianLetter: return "brev till inremitterande";
    case store::Role::Recall: return "återkallelse";
    case store::Role::Local: return "lokalt system";
  }
  return "";
}

std::string stateCell(const Word& word, std::string_view code) {
  return "<td class=\"state " + std::string(word.tone) + "\" title=\"" + std::string(code) + "\">" +
         std::string(word.text) + "</td>";
}

// The JSON of reasons is our own ({"code":"…",…}): the codes are enough for a cell, and they are plain ASCII.
std::string codesOf(std::string_view reasons) {
  std::string codes;
  constexpr std::string_view kKey = "\"code\":\"";
  for (auto at = reasons.find(kKey); at != std::string_view::npos; at = reasons.find(kKey, at)) {
    at += kKey.size();
    const auto end = reasons.find('"', at);
    codes += (codes.empty() ? "" : ", ") + escaped(reasons.substr(at, end - at));
  }
  return codes;
}

std::string page(std::string_view title, const std::string& body) {
  std::string out =
      "<!doctype html><html lang=\"sv\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width, initial-scale=1\"><title>";
  out += escaped(title) + " · Lotsen</title><style>" + std::string(kStyle) +
         "</style></head><body><nav aria-label=\"Huvudmeny\"><a href=\"/console/\">Överföringar</a> · <a "
         "href=\"/console/endpoints\">Adresser</a></nav><main><h1>" +
         escaped(title) + "</h1>" + body + "</main></body></html>";
  return out;
}

struct Button {
  std::string_view verb, text;
};

/// A form with a reason and the buttons of what may be done.
std::string form(const std::string& action, const std::vector<Button>& buttons) {
  if (buttons.empty()) return {};
  std::string out = "<form method=\"post\" action=\"" + escaped(action) +
                    "\"><label>Varför (inga patientuppgifter) <input name=\"why\" required maxlength=\"500\"></label>";
  for (const Button& each : buttons) {
    out += "<button name=\"verb\" value=\"" + std::string(each.verb) + "\">" + std::string(each.text) + "</button>";
  }
  return out + "</form>";
}

/// What a person may do with a delivery as it stands.
std::vector<Button> buttonsFor(const store::Delivery& delivery) {
  constexpr store::Verb kVerbs[] = {store::Verb::Resend, store::Verb::Release, store::Verb::Confirm,
                                    store::Verb::Cancel, store::Verb::Park};
  constexpr std::string_view kTexts[] = {"Skicka om", "Släpp", "Mottagaren har den", "Stryk", "Stoppa"};
  const store::Standing standing{delivery.state, delivery.reason, delivery.sequence > 0, delivery.everSent};
  std::vector<Button> buttons;
  for (std::size_t i = 0; i < std::size(kVerbs); ++i) {
    if (store::judgeIntervention(kVerbs[i], standing).outcome == store::Intervened::Applied)
      buttons.push_back({store::name(kVerbs[i]), kTexts[i]});
  }
  return buttons;
}

}  // namespace

std::string transfersPage(const std::vector<store::Transfer>& transfers, std::size_t limit) {
  std::string body;
  if (transfers.empty()) {
    body =
        "<p>Inga överföringar. En överföring visas här så snart ett källsystem har lämnat in sitt första underlag.</p>";
    return page("Överföringar", body);
  }
  body =
      "<div class=\"scroll\"><table><thead><tr><th scope=\"col\">Ärende</th><th scope=\"col\">Källa</th><th "
      "scope=\"col\">Läge</th><th scope=\"col\">Orsak</th>"
      "<th scope=\"col\">Ändrad</th></tr></thead><tbody>";
  for (const auto& transfer : transfers) {
    body += "<tr><td><a href=\"/console/transfers/" + escaped(transfer.id) + "\">" + escaped(transfer.caseKey) +
            "</a></td><td>" + escaped(transfer.partner) + "</td>";
    body += stateCell(swedish(transfer.state), store::name(transfer.state));
    body += "<td>" + codesOf(transfer.reasons) + "</td><td>" + clockTime(transfer.changedAt) + "</td></tr>";
  }
  body += "</tbody></table></div>";
  if (transfers.size() == limit)
    body += "<p><a href=\"/console/?after=" + escaped(transfers.back().id) + "\">Äldre överföringar</a></p>";
  return page("Överföringar", body);
}

std::string transferPage(const store::TransferView& view) {
  const auto& transfer = view.transfer;
  const Word state = swedish(transfer.state);
  std::string body = "<dl><dt>Läge</dt><dd class=\"state " + std::string(state.tone) + "\">" + std::string(state.text) +
                     "</dd><dt>Källa</dt><dd>" + escaped(transfer.partner) + "</dd><dt>Avtal</dt><dd>" +
                     escaped(transfer.agreement) + "</dd><dt>Inkom</dt><dd>" + clockTime(transfer.createdAt) +
                     "</dd><dt>Id</dt><dd><code>" + escaped(transfer.id) + "</code></dd>";
  const auto codes = codesOf(transfer.reasons);
  if (!codes.empty()) body += "<dt>Orsak</dt><dd>" + codes + "</dd>";
  if (service::hasReason(transfer.reasons, service::reason::kChangedAfterSending))
    body += "<dt>Åtgärd</dt><dd>" +
            form("/console/transfers/" + transfer.id, {{"settle", "Mottagaren behöver inget nytt"}}) + "</dd>";
  body +=
      "</dl><h2>Underlag</h2><div class=\"scroll\"><table><thead><tr><th scope=\"col\">Slag</th><th "
      "scope=\"col\">Version</th><th scope=\"col\">Läge</th><th scope=\"col\">Inkom</th><th "
      "scope=\"col\">Åtgärd</th></tr></thead><tbody>";
  for (const auto& record : view.records) {
    std::vector<Button> buttons;
    if (record.state == store::RecordState::Parked) buttons.push_back({"reprocess", "Tolka om"});
    body += "<tr><td>" + std::string(store::name(record.kind)) + "</td><td>" + std::to_string(record.version) +
            "</td><td>" + std::string(store::name(record.state)) +
            (record.reason.empty() ? "" : ": " + escaped(record.reason)) + "</td><td>" + clockTime(record.receivedAt) +
            "</td><td>" + form("/console/records/" + record.id, buttons) + "</td></tr>";
  }
  body +=
      "</tbody></table></div><h2>Leveranser</h2><div class=\"scroll\"><table><thead><tr><th scope=\"col\">Ben</th><th "
      "scope=\"col\">Till</th><th scope=\"col\">Läge</th>"
      "<th scope=\"col\">Försök</th><th scope=\"col\">Orsak</th><th scope=\"col\">Klar</th><th "
      "scope=\"col\">Åtgärd</th></tr></thead><tbody>";
  for (const auto& delivery : view.deliveries) {
    body += "<tr><td>" + std::string(swedish(delivery.role)) + "</td><td>" + escaped(delivery.partner) + "</td>" +
            stateCell(swedish(delivery.state), store::name(delivery.state)) + "<td>" +
            std::to_string(delivery.attempts) + "</td><td>" + escaped(delivery.reason) +
            (delivery.overdue ? " <span class=\"bad\">kvittens saknas</span>" : "") + "</td><td>" +
            clockTime(delivery.finishedAt) + "</td><td>" +
            form("/console/deliveries/" + delivery.id, buttonsFor(delivery)) + "</td></tr>";
  }
  body +=
      "</tbody></table></div><h2>Tidslinje</h2><div class=\"scroll\"><table><thead><tr><th scope=\"col\">Tid</th><th "
      "scope=\"col\">Vem</th><th scope=\"col\">Händelse</th><th scope=\"col\">Uppgift</th></tr></thead><tbody>";
  for (const auto& entry : view.timeline) {
    body += "<tr><td>" + clockTime(entry.at) + "</td><td>" + escaped(entry.actor) + "</td><td>" +
            escaped(entry.action) + "</td><td><code>" + escaped(entry.detail) + "</code></td></tr>";
  }
  body += "</tbody></table></div>";
  return page("Överföring " + transfer.caseKey, body);
}

std::string endpointsPage(const std::vector<service::EndpointState>& endpoints) {
  std::string body =
      "<div class=\"scroll\"><table><thead><tr><th scope=\"col\">Adress</th><th scope=\"col\">Redo</th><th "
      "scope=\"col\">Skickas</th><th scope=\"col\">Parkerade</th><th scope=\"col\">Kvittens saknas</th><th "
      "scope=\"col\">Läge</th><th scope=\"col\">Åtgärd</th></tr></thead><tbody>";
  for (const auto& each : endpoints) {
    const auto& figures = each.figures;
    const auto number = [](std::uint64_t n, bool bad) {
      return std::string(n > 0 && bad ? "<td class=\"bad\">" : "<td>") + std::to_string(n) + "</td>";
    };
    body += "<tr><td>" + escaped(figures.endpoint) + "</td>" + number(figures.ready, false) +
            number(figures.inFlight, false) + number(figures.parked, true) + number(figures.overdue, true);
    body += each.pause ? "<td class=\"state wait\">pausad av " + escaped(each.pause->actor) + " sedan " +
                             clockTime(each.pause->since) + ": " + escaped(each.pause->reason) + "</td>"
                       : "<td class=\"state good\">i drift</td>";
    body += "<td>" +
            form("/console/endpoints/" + figures.endpoint,
                 {each.pause ? Button{"resume", "Återuppta"} : Button{"pause", "Pausa"}}) +
            "</td></tr>";
  }
  return page("Adresser", body + "</tbody></table></div>");
}

std::string refusedPage(std::string_view why) {
  return page("Inget har gjorts", "<p>" + escaped(why) + "</p><p><a href=\"/console/\">Till listan</a></p>");
}

std::string notDonePage(const store::Id& transfer, std::string_view outcome) {
  std::string body = "<p>Läget har ändrats eller tillåter inte det: <code>" + escaped(outcome) + "</code>.</p>";
  if (!transfer.empty())
    body += "<p><a href=\"/console/transfers/" + escaped(transfer) + "\">Till överföringen</a></p>";
  return page("Inget har gjorts", body);
}

std::string notFoundPage() {
  return page("Finns inte", "<p>Överföringen finns inte. <a href=\"/console/\">Till listan</a>.</p>");
}

}  // namespace lotsen::console
