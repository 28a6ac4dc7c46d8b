#include "gateway/xml/writer.h"

#include <array>

namespace lotsen::xml {

namespace {

/// What stands for each byte; nullptr: itself.
using Escapes = std::array<const char*, 256>;

constexpr Escapes kTextEscapes = [] {
  Escapes table{};
  table['&'] = "&amp;";
  table['<'] = "&lt;";
  table['>'] = "&gt;";
  table['\r'] = "&#13;";
  return table;
}();

constexpr Escapes kValueEscapes = [] {
  Escapes table{};
  table['&'] = "&amp;";
  table['<'] = "&lt;";
  table['"'] = "&quot;";
  table['\t'] = "&#9;";
  table['\n'] = "&#10;";
  table['\r'] = "&#13;";
  return table;
}();

void appendEscaped(std::string& out, std::string_view text, const Escapes& escapes) {
  std::size_t plain = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char* escape = escapes[static_cast<unsigned char>(text[i])];
    if (escape == nullptr) continue;
    out.append(text, plain, i - plain);
    out += escape;
    plain = i + 1;
  }
  out.append(text, plain);
}

}  // namespace

void appendText(std::string& out, std::string_view text) {
  appendEscaped(out, text, kTextEscapes);
}

void appendValue(std::string& out, std::string_view value) {
  appendEscaped(out, value, kValueEscapes);
}

Writer& Writer::declaration() {
  out_ += R"(<?xml version="1.0" encoding="UTF-8"?>)";
  newLine();
  return *this;
}

void Writer::newLine() {
  if (indent_ == 0) return;
  out_ += '\n';
  out_.append(static_cast<std::size_t>(indent_) * open_.size(), ' ');
}

void Writer::closeTag() {
  if (inTag_) out_ += '>';
  inTag_ = false;
}

void Writer::beforeChild() {
  closeTag();
  if (open_.empty()) return;
  open_.back().children = true;
  if (!open_.back().mixed) newLine();
}

Writer& Writer::start(std::string_view name) {
  beforeChild();
  out_ += '<';
  out_ += name;
  const bool mixed = !open_.empty() && open_.back().mixed;
  open_.push_back({std::string(name), false, mixed});
  inTag_ = true;
  return *this;
}

Writer& Writer::attribute(std::string_view name, std::string_view value) {
  out_ += ' ';
  out_ += name;
  out_ += "=\"";
  appendValue(out_, value);
  out_ += '"';
  return *this;
}

Writer& Writer::text(std::string_view characters) {
  if (characters.empty()) return *this;
  closeTag();
  open_.back().mixed = true;
  open_.back().children = true;
  appendText(out_, characters);
  return *this;
}

Writer& Writer::raw(std::string_view element) {
  beforeChild();
  out_ += element;
  return *this;
}

Writer& Writer::end() {
  const Open open = std::move(open_.back());
  open_.pop_back();
  if (!open.children) {
    out_ += "/>";
    inTag_ = false;
    return *this;
  }
  if (!open.mixed) newLine();
  out_ += "</";
  out_ += open.name;
  out_ += '>';
  return *this;
}

}  // namespace lotsen::xml
