"""A certificate authority for the end-to-end tests, with the openssl command: keys and certificates that live as long as the test."""

import ssl
import subprocess


def openssl(*words, stdin=None):
    return subprocess.run(["openssl", *map(str, words)], input=stdin, check=True, capture_output=True).stdout


class Authority:
    def __init__(self, folder, name):
        self.folder, self.name = folder, name
        folder.mkdir(parents=True, exist_ok=True)
        self.pem, self.key = folder / f"{name}.pem", folder / f"{name}.key"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", self.key, "-out", self.pem,
                "-days", "3650", "-subj", f"/CN={name}")

    def issue(self, name, alternative_names="", usage="serverAuth,clientAuth", days=365, common_name=None):
        """Writes NAME.pem and NAME.key, each in one step; negative `days` make one that has expired. Returns the two paths."""
        pem, key, request = (self.folder / f"{name}.{kind}" for kind in ("pem", "key", "csr"))
        extensions = f"basicConstraints=critical,CA:FALSE\nextendedKeyUsage={usage}\n"
        if alternative_names:
            extensions += f"subjectAltName={alternative_names}\n"
        (self.folder / "extensions").write_text(extensions)
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{key}.new", "-out", request,
                "-subj", f"/CN={common_name or name}")
        openssl("x509", "-req", "-in", request, "-CA", self.pem, "-CAkey", self.key, "-CAcreateserial", "-days", days, "-extfile",
                self.folder / "extensions", "-out", f"{pem}.new")
        key.with_suffix(".key.new").chmod(0o600)
        key.with_suffix(".key.new").rename(key)
        pem.with_suffix(".pem.new").rename(pem)
        return pem, key


def client_context(trusted, own=None):
    """For a client that believes this authority and shows this certificate (pem, key)."""
    context = ssl.create_default_context(cafile=trusted.pem)
    if own:
        context.load_cert_chain(*own)
    return context


def server_context(own, clients=None):
    """For a server with this certificate; with `clients`, it demands certificates of that authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*own)
    if clients:
        context.load_verify_locations(clients.pem)
        context.verify_mode = ssl.CERT_REQUIRED
    return context
