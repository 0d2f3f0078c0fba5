namespace ThreatFeeds.Api.Demo;

/// <summary>A pod of the made-up cluster.</summary>
/// <param name="Aggregate">The name its replicas share in aggregated logs.</param>
internal sealed record SamplePod(string Namespace, string Name, string Aggregate, string Ip, string Node, string App);

/// <summary>Somebody outside that a pod has business with.</summary>
internal sealed record SamplePartner(string Name, string Ip);

/// <summary>The made-up cluster: a shop, its payments, what builds them and what watches them. Names outside end in .example and .test, addresses outside are of RFC 5737's and RFC 3849's blocks.</summary>
internal static class SampleCluster
{
    public static readonly SamplePod Frontend = Pod("shop", "frontend", "6f9c7d8b54", "m2xkq", 1, "10.42.1.11");
    public static readonly SamplePod Cart = Pod("shop", "cart", "5d8f7c9b64", "t8wzp", 2, "10.42.2.14");
    public static readonly SamplePod Checkout = Pod("shop", "checkout", "7b6d5f4c98", "hq4nv", 3, "10.42.3.9");
    public static readonly SamplePod Payments = Pod("payments", "payments-api", "84b9f6d7c5", "zr5jd", 1, "10.42.1.23");
    public static readonly SamplePod Ledger = Pod("payments", "ledger", "69d5c8f7b4", "c7kvw", 2, "10.42.2.31");
    public static readonly SamplePod Runner = Pod("build", "runner", "58f7d9b6c4", "x2k4q", 3, "10.42.3.40");
    public static readonly SamplePod Registry = Pod("build", "registry", "7c5b8d6f94", "pl9st", 1, "10.42.1.42");
    public static readonly SamplePod Export = Pod("data", "nightly-export", "6d8c9f5b74", "v6tgr", 2, "10.42.2.50");
    public static readonly SamplePod Database = Pod("data", "postgres", "75f6b8c9d4", "k3bxm", 3, "10.42.3.51");
    public static readonly SamplePod Metrics = Pod("monitoring", "metrics", "5b7c6d9f84", "wd8fh", 1, "10.42.1.60");
    public static readonly SamplePod Dashboards = Pod("monitoring", "dashboards", "8d9b5c7f64", "n4qzk", 2, "10.42.2.61");
    public static readonly SamplePod Dns = Pod("kube-system", "coredns", "6c8d7b9f54", "g5rlc", 3, "10.42.3.2");

    /// <summary>Who talks to whom inside, and at which port.</summary>
    public static readonly (SamplePod From, SamplePod To, int Port)[] Calls =
    [
        (Frontend, Cart, 8080), (Frontend, Checkout, 8080), (Checkout, Payments, 8443), (Payments, Ledger, 9000), (Ledger, Database, 5432),
        (Cart, Database, 5432), (Export, Database, 5432), (Runner, Registry, 5000), (Metrics, Payments, 9090), (Metrics, Cart, 9090), (Dashboards, Metrics, 9090),
    ];

    /// <summary>Who talks to whom outside.</summary>
    public static readonly (SamplePod From, SamplePartner To)[] Errands =
    [
        (Frontend, new("images.shop-cdn.example", "192.0.2.20")), (Checkout, new("rates.parcel-partner.example", "192.0.2.33")),
        (Payments, new("gateway.card-network.example", "192.0.2.41")), (Ledger, new("ledger.bank-partner.example", "192.0.2.42")),
        (Runner, new("packages.build-mirror.example", "192.0.2.77")), (Registry, new("layers.image-hub.example", "192.0.2.78")),
        (Export, new("archive.cold-storage.example", "192.0.2.90")), (Dashboards, new("login.staff-directory.example", "192.0.2.101")),
    ];

    private static SamplePod Pod(string @namespace, string app, string set, string id, int node, string ip) =>
        new(@namespace, $"{app}-{set}-{id}", $"{app}-{set}-*", ip, $"node-{node}", app);
}
