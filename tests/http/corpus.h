// Requests and the answer that a strict server owes each of them. Used by tests/http (the reader alone, three ways of
// feeding) and by tests/inbound (over a socket). `expected` lists the statuses in order; "close" at the end: the server
// closes after the last one. Everything from 400 on that the reader itself answers closes. A handler answers 200 on
// "/", "/echo", "/field", "/canary" and 404 elsewhere; kCanary is a second request hidden in the first: whoever answers
// 200 for it has been smuggled past.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lotsen::http::corpus {

struct Case {
  std::string title;
  std::string bytes;
  std::string expected;
  bool peerEnds = false;  // the peer closes its side after the bytes
};

inline const std::string kCanary = "GET /canary HTTP/1.1\r\nHost: h\r\n\r\n";
inline const std::string kChunked = "Transfer-Encoding: chunked\r\n";
inline const std::string kHelloChunk = "5\r\nHELLO\r\n0\r\n\r\n";

inline std::string repeat(std::string_view text, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out.append(text);
  return out;
}

inline std::string post(const std::string& fields, const std::string& body = "", const std::string& version = "1.1") {
  return "POST /echo HTTP/" + version + "\r\nHost: h\r\n" + fields + "\r\n" + body;
}
inline std::string get(const std::string& fields = "", const std::string& target = "/",
                       const std::string& version = "1.1") {
  return "GET " + target + " HTTP/" + version + "\r\nHost: h\r\n" + fields + "\r\n";
}
inline std::string line(const std::string& requestLine, const std::string& fields = "Host: h\r\n") {
  return requestLine + "\r\n" + fields + "\r\n";
}
inline std::string coding(const std::string& value) {
  return "Transfer-Encoding: " + value + "\r\n";
}
inline std::string length(const std::string& value) {
  return "Content-Length: " + value + "\r\n";
}
inline std::string numberedFields(int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += "X" + std::to_string(i) + ": y\r\n";
  return out;
}

inline void addLengthAndCoding(std::vector<Case>& cases) {
  const std::string bad = "400 close", unknown = "501 close";
  const auto add = [&](const std::string& title, const std::string& bytes, const std::string& expected) {
    cases.push_back({title, bytes, expected});
  };
  add("length then coding, canary behind the last chunk", post(length("4") + kChunked, "0\r\n\r\n" + kCanary), bad);
  add("coding then length, canary behind the last chunk", post(kChunked + length("4"), kHelloChunk + kCanary), bad);
  add("length 0 with coding", post(length("0") + kChunked, kHelloChunk), bad);
  add("coding xchunked, then length", post(coding("xchunked") + length("5"), "HELLO" + kCanary), bad);
  add("length, then coding xchunked", post(length("5") + coding("xchunked"), "HELLO" + kCanary), bad);
  add("coding identity, then length", post(coding("identity") + length("5"), "HELLO" + kCanary), bad);

  add("coding xchunked alone", post(coding("xchunked"), kCanary), unknown);
  add("coding gzip alone", post(coding("gzip"), kCanary), unknown);
  add("coding chunked, identity", post(coding("chunked, identity"), kCanary), unknown);
  add("coding identity, chunked", post(coding("identity, chunked"), kHelloChunk), unknown);
  add("coding gzip, chunked", post(coding("gzip, chunked"), kHelloChunk), unknown);
  add("coding empty", post(coding(""), kCanary), unknown);
  add("two codings, chunked and chunked", post(kChunked + kChunked, kHelloChunk), bad);
  add("two codings, identity and chunked", post(coding("identity") + kChunked, kHelloChunk), bad);
  add("two codings, chunked and identity", post(kChunked + coding("identity"), kHelloChunk), bad);
  add("coding in quotes", post(coding("\"chunked\""), kCanary), unknown);
  add("coding with a parameter", post(coding("chunked;q=1"), kHelloChunk), unknown);
  add("coding with an empty last element", post(coding("chunked,"), kHelloChunk), unknown);
  add("coding with an empty first element", post(coding(", chunked"), kHelloChunk), unknown);
  add("coding twice in one value", post(coding("chunked chunked"), kCanary), unknown);
  add("tab before the coding is legal", post("Transfer-Encoding:\tchunked\r\n", kHelloChunk), "200");
  add("case of the coding does not matter", post("transfer-encoding: ChUnKeD\r\n", kHelloChunk), "200");
  add("vertical tab before the coding",
      post(coding("\x0b"
                  "chunked"),
           kHelloChunk),
      bad);
  add("NUL behind the coding", post(coding(std::string("chunked\0", 8)), kHelloChunk), bad);
  add("no-break space behind the coding", post(coding("chunked\xa0"), kCanary), bad);
  add("coding on a folded line", post("Transfer-Encoding:\r\n chunked\r\n", kHelloChunk), bad);
  add("coding hidden in a folded value", post(length("5") + "X: y\r\n Transfer-Encoding: chunked\r\n", "HELLO"), bad);
  add("coding behind a bare LF", post("X: y\nTransfer-Encoding: chunked\r\n", kHelloChunk), bad);
  add("coding behind a bare CR", post(length("5") + "X: y\rTransfer-Encoding: chunked\r\n", "HELLO"), bad);
  add("coding in HTTP/1.0", post(kChunked, kHelloChunk, "1.0"), bad);
  add("a name with underscore is another field", post("Transfer_Encoding: chunked\r\n" + length("5"), "HELLO"), "200");
}

inline void addLength(std::vector<Case>& cases) {
  const std::string bad = "400 close";
  cases.push_back({"POST without length and coding", post(""), "411 close"});
  cases.push_back({"two equal lengths", post(length("5") + length("5"), "HELLO"), bad});
  cases.push_back({"two different lengths", post(length("5") + length("0"), "HELLO"), bad});
  for (const char* value : {"5, 5", "5, 6", "5,", "-5", "+5", "0x5", "5 5", "5.0", "\"5\"", "5;x", "",
                            "18446744073709551621", "9223372036854775808"}) {
    cases.push_back({std::string("length '") + value + "'", post(length(value), "HELLO"), bad});
  }
  cases.push_back({"blanks behind the length are legal", post(length("5 \t"), "HELLO"), "200"});
  cases.push_back({"leading zeros are legal", post(length("0000000005"), "HELLO"), "200"});
  cases.push_back({"body longer than its length", post(length("5"), "HELLO XXXX\r\n\r\n"), "200 400 close"});
  cases.push_back({"body cut short", post(length("50"), "HELLO"), bad, true});

  cases.push_back({"GET with a body", get(length("5")) + "HELLO", bad});
  cases.push_back({"GET with length 0 is harmless", get(length("0")), "200"});
  cases.push_back({"GET with chunks", get(kChunked) + kHelloChunk, bad});
  cases.push_back({"GET without length, bytes follow", get() + "HELLO\r\n\r\n", "200 505 close"});
}

inline void addChunks(std::vector<Case>& cases) {
  const auto add = [&](const std::string& title, const std::string& body, const std::string& expected = "400 close",
                       bool ends = false) {
    cases.push_back({title, post(kChunked, body), expected, ends});
  };
  const std::string rest = "\r\nHELLO\r\n0\r\n\r\n";
  add("one chunk", kHelloChunk, "200");
  add("empty chunked body", "0\r\n\r\n", "200");
  add("200 chunks of one byte", repeat("1\r\nA\r\n", 200) + "0\r\n\r\n", "200");
  add("chunk size of 17 digits", "10000000000000005" + rest);
  add("chunk size of 16 times f", "ffffffffffffffff" + rest, "413 close");
  add("chunk size negative", "-1" + rest);
  add("chunk size with 0x", "0x5" + rest + kCanary);
  add("chunk size with a plus", "+5" + rest);
  add("blank behind the chunk size", "5 " + rest);
  add("blank before the chunk size", " 5" + rest);
  add("chunk size missing", rest);
  add("chunk size with 200 zeros in front", repeat("0", 200) + "5" + rest);
  add("chunk extension", "5;a=b" + rest);
  add("chunk extension of 20 kB", "5;a=" + repeat("b", 20000) + rest);
  add("chunk extension that does not end", "5;a=" + repeat("b", 100000));
  add("LF inside a quoted chunk extension", "5;a=\"\n\"" + rest);
  add("NUL inside a quoted chunk extension", std::string("5;a=\"\0\"", 7) + rest);
  add("CR inside a chunk extension", "5;a\rb" + rest);
  add("chunk extension without a name", "5;" + rest);
  add("chunk lines end in LF only", "5\nHELLO\n0\n\n");
  add("last chunk ends in LF only", "5\r\nHELLO\r\n0\n\n");
  add("chunk longer than its size", "5\r\nHELLOX\r\n0\r\n\r\n");
  add("no line end behind the chunk", "5\r\nHELLO0\r\n\r\n");
  add("trailer", "5\r\nHELLO\r\n0\r\nX-T: 1\r\n\r\n");
  add("trailer Authorization", "5\r\nHELLO\r\n0\r\nAuthorization: x\r\n\r\n");
  add("trailer Content-Length", "5\r\nHELLO\r\n0\r\nContent-Length: 3\r\n\r\n");
  add("trailer Connection", "5\r\nHELLO\r\n0\r\nConnection: close\r\n\r\n");
  add("trailers of 100 kB", "5\r\nHELLO\r\n0\r\n" + repeat("X: y\r\n", 17000) + "\r\n");
  add("chunk cut short", "5\r\nHEL", "400 close", true);
  add("last chunk missing", "5\r\nHELLO\r\n", "400 close", true);
}

inline void addLinesAndBytes(std::vector<Case>& cases) {
  const auto add = [&](const std::string& title, const std::string& bytes, const std::string& expected = "400 close") {
    cases.push_back({title, bytes, expected});
  };
  add("bare LF throughout", "GET / HTTP/1.1\nHost: h\n\n");
  add("bare LF behind one field", "GET / HTTP/1.1\r\nHost: h\nX: y\r\n\r\n");
  add("bare CR in a value", get("X: a\rb\r\n"));
  add("CR CR LF", get("X: a\r\r\n"));
  add("NUL in a value", get(std::string("X: a\0b\r\n", 8)));
  add("NUL in a name", get(std::string("X\0Y: a\r\n", 8)));
  add("control character in a value", get("X: a\x01"
                                          "b\r\n"));
  add("byte ff in a value", get("X: a\xff"
                                "b\r\n"));
  add("byte ff in a name", get("X\xff: a\r\n"));
  add("blank before the colon", get("X : a\r\n"));
  add("tab before the colon", get("X\t: a\r\n"));
  add("blank before the colon of the length", post("Content-Length : 5\r\n", "HELLO"));
  add("line without colon", get("JunkLine\r\n"));
  add("empty name", get(": a\r\n"));
  add("name with parentheses", get("X(y): a\r\n"));
  add("folded value", get("X: a\r\n b\r\n"));
  add("first field indented", "GET / HTTP/1.1\r\n Host: h\r\n\r\n");
  add("empty line before the request", "\r\n" + get());
  add("an RFC 2047 word is not decoded", get("X-Test: =?utf-8?q?=61dmin?=\r\n", "/field"), "200");
}

inline void addRequestLines(std::vector<Case>& cases) {
  const auto add = [&](const std::string& title, const std::string& bytes, const std::string& expected = "400 close") {
    cases.push_back({title, bytes, expected});
  };
  add("HTTP/0.9", "GET /\r\n", "505 close");
  add("no version, fields follow", line("GET /"), "505 close");
  add("HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505 close");
  add("HTTP/2.0", get("", "/", "2.0"), "505 close");
  add("HTTP/1.2", get("", "/", "1.2"), "505 close");
  add("HTTP/1.10", get("", "/", "1.10"), "505 close");
  add("version in lower case", line("GET / http/1.1"), "505 close");
  add("HTTP/1.0 is answered and closed", get("", "/", "1.0"), "200 close");
  add("two blanks", line("GET  / HTTP/1.1"));
  add("tabs as separators", line("GET\t/\tHTTP/1.1"), "505 close");
  add("blank behind the version", line("GET / HTTP/1.1 "), "505 close");
  add("method in lower case", line("get / HTTP/1.1"), "501 close");
  add("unknown method", line("BREW / HTTP/1.1"), "501 close");
  add("method of 10 kB", line(repeat("A", 10000) + " / HTTP/1.1"), "501 close");
  add("TRACE", line("TRACE / HTTP/1.1"), "501 close");
  add("CONNECT", line("CONNECT h:443 HTTP/1.1"), "501 close");
  add("absolute target", get("", "http://h/"));
  add("absolute target on another host", get("", "http://evil/canary"));
  add("asterisk target, OPTIONS", line("OPTIONS * HTTP/1.1"));
  add("asterisk target, GET", get("", "*"));
  add("target without slash", get("", "canary"));
  add("fragment in the target", get("", "/#x"));
  add("byte 80 in the target", get("", "/\x80"));
  add("quote and angle brackets in the target", get("", "/\"<x>"));
  add("backslash in the target", get("", "/..\\x"));
  add("escaped NUL in the target", get("", "/%00"));
  add("broken escape in the target", get("", "/%zz"));
  add("bar in the query (a FHIR token)", get("", "/?identifier=urn:x|1"), "404");
  add("target of 10 kB", get("", "/" + repeat("a", 10000)), "414 close");
  add("TLS on the plain port",
      std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11) + std::string(200, '\0'));
}

inline void addFields(std::vector<Case>& cases) {
  const auto add = [&](const std::string& title, const std::string& bytes, const std::string& expected = "400 close") {
    cases.push_back({title, bytes, expected});
  };
  add("no Host", line("GET / HTTP/1.1", ""));
  add("two Host", get("Host: evil\r\n"));
  add("Host empty", line("GET / HTTP/1.1", "Host: \r\n"));
  add("Host with user and path", line("GET / HTTP/1.1", "Host: a@b/c\r\n"));
  add("64 fields", get(numberedFields(63)), "200");
  add("65 fields", get(numberedFields(64)), "431 close");
  add("1000 fields", get(numberedFields(999)), "431 close");
  add("token of 9 kB", get("Authorization: Bearer " + repeat("t", 9000) + "\r\n"), "200");
  add("head of 40 kB", get("X: " + repeat("y", 40000) + "\r\n"), "431 close");
  add("value of 70 kB", get("X: " + repeat("y", 70000) + "\r\n"), "431 close");
  add("two Authorization", get("Authorization: a\r\nAuthorization: b\r\n"));
  add("nothing is read behind Connection: close", get("Connection: close\r\n") + kCanary, "200 close");
  add("close in a list", get("Connection: keep-alive, close\r\n") + kCanary, "200 close");
  add("Expect with the body at once", post("Expect: 100-continue\r\n" + length("5"), "HELLO"), "200");
  add("Expect something else", post("Expect: x\r\n" + length("5"), "HELLO"), "417 close");
  add("Expect in HTTP/1.0", post("Expect: 100-continue\r\n" + length("5"), "HELLO", "1.0"), "417 close");
  add("Upgrade to websocket is ignored", get("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n"),
      "200");
  add("Upgrade to h2c is ignored",
      get("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"), "200");
}

inline void addPipelines(std::vector<Case>& cases) {
  cases.push_back({"three GET at once", get() + get() + get(), "200 200 200"});
  cases.push_back({"POST and GET at once", post(length("5"), "HELLO") + get(), "200 200"});
  cases.push_back({"chunked POST and GET at once", post(kChunked, kHelloChunk) + get(), "200 200"});
  cases.push_back({"GET, then garbage", get() + std::string("\0\x01garbage\r\n\r\n", 13), "200 400 close"});
}

inline std::vector<Case> all() {
  std::vector<Case> cases;
  addLengthAndCoding(cases);
  addLength(cases);
  addChunks(cases);
  addLinesAndBytes(cases);
  addRequestLines(cases);
  addFields(cases);
  addPipelines(cases);
  return cases;
}

}  // namespace lotsen::http::corpus
