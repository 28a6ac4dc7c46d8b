#include "gateway/app/reprocess_report.h"

#include <algorithm>

namespace lotsen::app {

namespace {

using service::Finding;
using Entry = std::pair<const service::WhatIfReport::Key, service::FindingGroup>;

constexpr std::size_t kExamples = 3;  // on a line

std::string_view meaning(Finding finding) {
  switch (finding) {
    case Finding::NowFails: return "usable before, not any more";
    case Finding::FailsOtherwise: return "parked before and still, for this reason now";
    case Finding::NowSucceeds: return "parked before for this reason, usable now";
    case Finding::Unaccounted: return "source fields that would get lost: no rule makes anything of them any more";
    case Finding::Accounted: return "source fields that got lost before, and of which a rule makes something now";
    case Finding::ValueChanged: return "elements with another value";
    case Finding::Added: return "elements that were not there";
    case Finding::Removed: return "elements that are gone";
    case Finding::OrderChanged: return "lists in another order";
    case Finding::NewWarning: return "warnings that were not there";
    case Finding::GoneWarning: return "warnings that are gone";
    case Finding::Unreadable: return "what is stored cannot be read with today's definitions";
  }
  return {};
}

std::string right(std::uint64_t number, std::size_t width) {
  const std::string digits = std::to_string(number);
  return std::string(width - std::min(width, digits.size()), ' ') + digits;
}

void appendGroup(std::string& text, const Entry& entry) {
  const auto& [key, group] = entry;
  text += right(group.records, 9) + right(group.count, 9) + "  " + key.path;
  if (!key.rule.empty()) text += (key.path.empty() ? "" : "  ") + ("[" + key.rule + "]");
  text += '\n';
  const std::string margin(20, ' ');
  if (!group.text.empty()) text += margin + group.text + '\n';
  text += margin;
  for (std::size_t i = 0; i < std::min(group.examples.size(), kExamples); ++i)
    text += (i == 0 ? "" : "  ") + group.examples[i];
  text += '\n';
}

}  // namespace

std::string reprocessText(const service::WhatIfAnswer& answer) {
  const auto& report = answer.report;
  const auto count = [](std::uint64_t number, std::string_view what) {
    return right(number, 9) + "  " + std::string(what) + '\n';
  };
  std::string text = "new maps " + answer.mapHash + "\nchannels";
  for (const auto& channel : answer.channels) text += " " + channel;
  text += "\n\n";
  text += count(report.examined, "records examined") + count(report.same, "same") +
          count(report.different, "different") + count(report.nowFail, "usable before, not any more") +
          count(report.nowSucceed, "parked before, usable now") + count(report.stillFail, "parked before and after") +
          count(report.waiting, "not mapped yet");
  if (!report.mapHashes.empty()) text += "\nwhat is stored was made by\n";
  for (const auto& [hash, records] : report.mapHashes) text += count(records, hash);

  std::vector<const Entry*> entries;
  entries.reserve(report.groups.size());
  for (const auto& entry : report.groups) entries.push_back(&entry);
  std::stable_sort(entries.begin(), entries.end(), [](const Entry* a, const Entry* b) {
    if (a->first.finding != b->first.finding) return a->first.finding < b->first.finding;
    return a->second.records > b->second.records;
  });
  const Entry* before = nullptr;
  for (const Entry* entry : entries) {
    const auto finding = entry->first.finding;
    if (before == nullptr || before->first.finding != finding)
      text += "\n" + std::string(name(finding)) + ": " + std::string(meaning(finding)) +
              "\n  records    count  where, and records that show it\n";
    appendGroup(text, *entry);
    before = entry;
  }
  if (report.leftOut > 0) text += "\n" + std::to_string(report.leftOut) + " more differences are not shown\n";
  if (!answer.next.empty()) text += "\nthere are more records: these are the first that fit\n";
  return text;
}

}  // namespace lotsen::app
