#include "gateway/xml/writer.h"

namespace lotsen::xml {

void appendText(std::string& out, std::string_view text) {
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '\r': out += "&#13;"; break;
      default: out += c;
    }
  }
}

void appendValue(std::string& out, std::string_view value) {
  for (const char c : value) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '"': out += "&quot;"; break;
      case '\t': out += "&#9;"; break;
      case '\n': out += "&#10;"; break;
      case '\r': out += "&#13;"; break;
      default: out += c;
    }
  }
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
