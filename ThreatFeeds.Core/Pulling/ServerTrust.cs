using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ThreatFeeds.Pulling;

/// <summary>
/// Whose certificates are believed: the system's authorities, and those of Pulling:CaFile. A certificate is judged with what the server sent and what is here.
/// It names addresses itself (issuers, revocation lists: RFC 5280, 4.2.1.13 and 4.2.2.1), which anybody can fill in, so that nothing is ever fetched from there.
/// </summary>
internal sealed class ServerTrust
{
    private static readonly Oid ForServers = new("1.3.6.1.5.5.7.3.1");

    private readonly X509Certificate2Collection _authorities = [];

    /// <param name="caFile">PEM file of further authorities; null for none.</param>
    public ServerTrust(string? caFile)
    {
        if (!string.IsNullOrEmpty(caFile))
        {
            _authorities.ImportFromPemFile(caFile);
        }
    }

    /// <summary>TLS on a connection, which is closed when that fails.</summary>
    /// <param name="host">Whom the certificate must name.</param>
    /// <exception cref="System.Security.Authentication.AuthenticationException">The certificate is not believed.</exception>
    public async Task<Stream> SecureAsync(Stream connection, string host, CancellationToken cancellationToken)
    {
        var tls = new SslStream(connection);
        try
        {
            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = host,
                CertificateChainPolicy = Policy(),
                RemoteCertificateValidationCallback = _authorities.Count > 0 ? Trusts : null,
            }, cancellationToken);
            return tls;
        }
        catch
        {
            await tls.DisposeAsync();
            throw;
        }
    }

    private static X509ChainPolicy Policy() => new()
    {
        DisableCertificateDownloads = true,
        RevocationMode = X509RevocationMode.NoCheck,
        ApplicationPolicy = { ForServers },
    };

    /// <summary>The system's judgement, or a chain that ends at an authority of ours. Neither excuses another name.</summary>
    private bool Trusts(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (errors == SslPolicyErrors.None)
        {
            return true;
        }
        if (errors != SslPolicyErrors.RemoteCertificateChainErrors || certificate is not X509Certificate2 leaf)
        {
            return false;
        }
        using var own = new X509Chain { ChainPolicy = Policy() };
        own.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        own.ChainPolicy.CustomTrustStore.AddRange(_authorities);
        if (chain is not null)
        {
            own.ChainPolicy.ExtraStore.AddRange(chain.ChainElements.Select(e => e.Certificate).ToArray());
        }
        return own.Build(leaf);
    }
}
