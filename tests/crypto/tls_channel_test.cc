// The TLS channel on one end of a socket pair, and OpenSSL as a client on the other, all in one thread: what a server
// with many connections on a thread would do.
#include "gateway/crypto/tls.h"
#include "tests/support/certificates.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

namespace lotsen::crypto {
namespace {

class Pair {
 public:
  Pair() {
    ::signal(SIGPIPE, SIG_IGN);
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends_), 0);
  }
  ~Pair() {
    ::close(ends_[0]);
    if (ends_[1] >= 0) ::close(ends_[1]);
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;
  int server() const { return ends_[0]; }
  int client() const { return ends_[1]; }
  void cutClient() {
    ::close(ends_[1]);
    ends_[1] = -1;
  }

 private:
  int ends_[2];
};

class TlsChannelTest : public testing::Test {
 protected:
  TlsChannelTest() : context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free), ssl_(nullptr, SSL_free) {
    const auto own = support::authority("CA").issue({});
    TlsSettings settings;
    settings.own = {own.pem(), own.keyPem(), {}};
    server_ = *TlsServer::create(settings);
  }

  /// Both sides in turn, until the handshake is over.
  Io shakeHands(TlsChannel& channel, int client) {
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_fd(ssl_.get(), client);
    SSL_set_connect_state(ssl_.get());
    Io io = Io::WantRead;
    for (int i = 0; i < 20 && io == Io::WantRead; ++i) {
      ERR_clear_error();
      SSL_do_handshake(ssl_.get());
      io = channel.handshake().io;
    }
    return io;
  }

  std::shared_ptr<const TlsServer> server_;
  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context_;
  std::unique_ptr<SSL, void (*)(SSL*)> ssl_;
};

// One stranger would kill everybody: the entry that its broken handshake left is taken for a fault of the next call.
TEST_F(TlsChannelTest, TrapErrorsOfStrangersAreNotOurs) {
  Pair sockets;
  TlsChannel healthy(server_, sockets.server());
  ASSERT_EQ(shakeHands(healthy, sockets.client()), Io::Done);
  char buffer[100];
  EXPECT_EQ(healthy.read(buffer).io, Io::WantRead);

  ERR_raise(ERR_LIB_EC, 1);  // as a key share that is not on its curve leaves
  ERR_raise(ERR_LIB_SSL, SSL_R_BAD_ECPOINT);
  EXPECT_EQ(healthy.read(buffer).io, Io::WantRead);

  Pair others;
  TlsChannel stranger(server_, others.server());
  ASSERT_EQ(::write(others.client(), "GET / HTTP/1.1\r\n\r\n", 18), 18);
  EXPECT_EQ(stranger.handshake().io, Io::Error);
  EXPECT_EQ(stranger.fault(), "http request");
  EXPECT_EQ(ERR_peek_error(), 0U);
  EXPECT_EQ(healthy.read(buffer).io, Io::WantRead);
  EXPECT_EQ(healthy.write("still here").io, Io::Done);
}

TEST_F(TlsChannelTest, NothingWaitsAndAShortReadIsNotTheEnd) {
  Pair sockets;
  TlsChannel channel(server_, sockets.server());
  EXPECT_EQ(channel.handshake().io, Io::WantRead);
  ASSERT_EQ(shakeHands(channel, sockets.client()), Io::Done);
  ASSERT_EQ(SSL_write(ssl_.get(), "0123456789", 10), 10);
  char few[4];
  EXPECT_EQ(channel.read(few).bytes, 4U);
  EXPECT_TRUE(channel.holds()) << "six bytes more, of which the descriptor knows nothing";
  EXPECT_EQ(channel.read(few).bytes, 4U);
  EXPECT_EQ(channel.read(few).bytes, 2U);
  EXPECT_FALSE(channel.holds());
  EXPECT_EQ(channel.read(few).io, Io::WantRead);
}

TEST_F(TlsChannelTest, AFullSocketIsToldAndTheRestMayMove) {
  Pair sockets;
  TlsChannel channel(server_, sockets.server());
  ASSERT_EQ(shakeHands(channel, sockets.client()), Io::Done);
  // From another place in memory each time: OpenSSL would refuse that by default.
  const std::string all(4'000'000, 'x'), copy = all;
  int round = 0;
  std::size_t sent = 0, got = 0;
  char buffer[65536];
  while (sent < all.size()) {
    const IoResult put = channel.write(std::string_view(++round % 2 == 0 ? all : copy).substr(sent));
    if (put.io == Io::Done) sent += put.bytes;
    if (put.io == Io::WantWrite) {
      for (int count = 0; (count = SSL_read(ssl_.get(), buffer, sizeof buffer)) > 0;)
        got += static_cast<std::size_t>(count);
    }
    ASSERT_NE(put.io, Io::Error) << channel.fault();
  }
  for (int count = 0; (count = SSL_read(ssl_.get(), buffer, sizeof buffer)) > 0;)
    got += static_cast<std::size_t>(count);
  EXPECT_EQ(got, all.size());
}

TEST_F(TlsChannelTest, TrapAnEndWithoutGoodbyeIsAnEnd) {
  Pair sockets;
  TlsChannel channel(server_, sockets.server());
  ASSERT_EQ(shakeHands(channel, sockets.client()), Io::Done);
  ASSERT_EQ(SSL_write(ssl_.get(), "last", 4), 4);
  sockets.cutClient();
  char buffer[100];
  EXPECT_EQ(channel.read(buffer).bytes, 4U);
  EXPECT_EQ(channel.read(buffer).io, Io::End);
}

TEST_F(TlsChannelTest, AFailedChannelIsNotUsedAgain) {
  Pair sockets;
  TlsChannel channel(server_, sockets.server());
  ASSERT_EQ(shakeHands(channel, sockets.client()), Io::Done);
  ASSERT_EQ(::write(sockets.client(), "\x17\x03\x03\x00\x20garbage garbage garbage garbage ", 37), 37);
  char buffer[100];
  EXPECT_EQ(channel.read(buffer).io, Io::Error);
  EXPECT_FALSE(channel.fault().empty());
  EXPECT_EQ(channel.read(buffer).io, Io::Error);
  EXPECT_EQ(channel.write("x").io, Io::Error);
  channel.finish();
  EXPECT_FALSE(channel.peer().has_value());
}

}  // namespace
}  // namespace lotsen::crypto
