using System;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;

#nullable disable

namespace ThreatFeeds.Storage.Postgres
{
    /// <inheritdoc />
    public partial class Initial : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "alert_feeds",
                columns: table => new
                {
                    AlertId = table.Column<long>(type: "bigint", nullable: false),
                    Feed = table.Column<string>(type: "text", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_alert_feeds", x => new { x.Feed, x.AlertId });
                });

            migrationBuilder.CreateTable(
                name: "alert_samples",
                columns: table => new
                {
                    AlertId = table.Column<long>(type: "bigint", nullable: false),
                    HitId = table.Column<byte[]>(type: "bytea", nullable: false),
                    Time = table.Column<long>(type: "bigint", nullable: false),
                    Record = table.Column<string>(type: "text", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_alert_samples", x => new { x.AlertId, x.HitId });
                });

            migrationBuilder.CreateTable(
                name: "alerts",
                columns: table => new
                {
                    Id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    Cluster = table.Column<string>(type: "text", nullable: false),
                    Kind = table.Column<string>(type: "text", nullable: false),
                    Indicator = table.Column<string>(type: "text", nullable: false),
                    Namespace = table.Column<string>(type: "text", nullable: false),
                    Workload = table.Column<string>(type: "text", nullable: false),
                    Direction = table.Column<string>(type: "text", nullable: false),
                    Action = table.Column<string>(type: "text", nullable: false),
                    Start = table.Column<long>(type: "bigint", nullable: false),
                    FirstSeen = table.Column<long>(type: "bigint", nullable: false),
                    LastSeen = table.Column<long>(type: "bigint", nullable: false),
                    Count = table.Column<long>(type: "bigint", nullable: false),
                    Severity = table.Column<int>(type: "integer", nullable: false),
                    Aggregated = table.Column<bool>(type: "boolean", nullable: false),
                    Labels = table.Column<string>(type: "text", nullable: false),
                    Node = table.Column<string>(type: "text", nullable: true),
                    WorkloadIp = table.Column<string>(type: "text", nullable: true),
                    PeerIp = table.Column<string>(type: "text", nullable: true),
                    PeerPort = table.Column<int>(type: "integer", nullable: true),
                    PeerName = table.Column<string>(type: "text", nullable: true),
                    State = table.Column<string>(type: "text", nullable: false),
                    Note = table.Column<string>(type: "text", nullable: false),
                    StateChangedAt = table.Column<DateTime>(type: "timestamp with time zone", nullable: true),
                    OpenedAt = table.Column<DateTime>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_alerts", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "counters",
                columns: table => new
                {
                    Name = table.Column<string>(type: "text", nullable: false),
                    Value = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_counters", x => x.Name);
                });

            migrationBuilder.CreateTable(
                name: "feed_hits",
                columns: table => new
                {
                    Feed = table.Column<string>(type: "text", nullable: false),
                    Hour = table.Column<long>(type: "bigint", nullable: false),
                    Count = table.Column<long>(type: "bigint", nullable: false),
                    LastTime = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_feed_hits", x => new { x.Feed, x.Hour });
                });

            migrationBuilder.CreateTable(
                name: "hits",
                columns: table => new
                {
                    Id = table.Column<byte[]>(type: "bytea", nullable: false),
                    AlertId = table.Column<long>(type: "bigint", nullable: false),
                    Source = table.Column<string>(type: "text", nullable: false),
                    Segment = table.Column<long>(type: "bigint", nullable: false),
                    Ordinal = table.Column<long>(type: "bigint", nullable: false),
                    Time = table.Column<long>(type: "bigint", nullable: false),
                    Field = table.Column<string>(type: "text", nullable: false),
                    Value = table.Column<string>(type: "text", nullable: false),
                    Indicator = table.Column<string>(type: "text", nullable: false),
                    Feeds = table.Column<string>(type: "text", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_hits", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "listing_changes",
                columns: table => new
                {
                    Generation = table.Column<long>(type: "bigint", nullable: false),
                    ListingId = table.Column<long>(type: "bigint", nullable: false),
                    Feed = table.Column<string>(type: "text", nullable: false),
                    Reason = table.Column<string>(type: "text", nullable: false),
                    AddedSetId = table.Column<long>(type: "bigint", nullable: true),
                    Added = table.Column<long>(type: "bigint", nullable: false),
                    At = table.Column<DateTime>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_listing_changes", x => x.Generation);
                });

            migrationBuilder.CreateTable(
                name: "listings",
                columns: table => new
                {
                    Id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    FeedUid = table.Column<Guid>(type: "uuid", nullable: false),
                    Feed = table.Column<string>(type: "text", nullable: false),
                    Content = table.Column<string>(type: "text", nullable: false),
                    Enabled = table.Column<bool>(type: "boolean", nullable: false),
                    MatchSubdomains = table.Column<bool>(type: "boolean", nullable: false),
                    SetId = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_listings", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "look_backs",
                columns: table => new
                {
                    Generation = table.Column<long>(type: "bigint", nullable: false),
                    Source = table.Column<string>(type: "text", nullable: false),
                    DoneSegment = table.Column<long>(type: "bigint", nullable: false),
                    DoneOrdinal = table.Column<long>(type: "bigint", nullable: false),
                    UptoSegment = table.Column<long>(type: "bigint", nullable: false),
                    UptoOrdinal = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_look_backs", x => new { x.Generation, x.Source });
                });

            migrationBuilder.CreateTable(
                name: "progress",
                columns: table => new
                {
                    Source = table.Column<string>(type: "text", nullable: false),
                    Kind = table.Column<string>(type: "text", nullable: false),
                    MarkSegment = table.Column<long>(type: "bigint", nullable: false),
                    MarkOrdinal = table.Column<long>(type: "bigint", nullable: false),
                    Generation = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_progress", x => x.Source);
                });

            migrationBuilder.CreateTable(
                name: "pushed_documents",
                columns: table => new
                {
                    Feed = table.Column<string>(type: "text", nullable: false),
                    Content = table.Column<string>(type: "text", nullable: false),
                    Document = table.Column<string>(type: "text", nullable: false),
                    Version = table.Column<long>(type: "bigint", nullable: false),
                    UpdatedAt = table.Column<DateTime>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_pushed_documents", x => x.Feed);
                });

            migrationBuilder.CreateTable(
                name: "resource_changes",
                columns: table => new
                {
                    ResourceVersion = table.Column<long>(type: "bigint", nullable: false),
                    Kind = table.Column<string>(type: "text", nullable: false),
                    Namespace = table.Column<string>(type: "text", nullable: false),
                    Name = table.Column<string>(type: "text", nullable: false),
                    Type = table.Column<string>(type: "text", nullable: false),
                    Document = table.Column<string>(type: "text", nullable: false),
                    At = table.Column<DateTime>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_resource_changes", x => x.ResourceVersion);
                });

            migrationBuilder.CreateTable(
                name: "resources",
                columns: table => new
                {
                    Kind = table.Column<string>(type: "text", nullable: false),
                    Namespace = table.Column<string>(type: "text", nullable: false),
                    Name = table.Column<string>(type: "text", nullable: false),
                    Uid = table.Column<Guid>(type: "uuid", nullable: false),
                    ResourceVersion = table.Column<long>(type: "bigint", nullable: false),
                    Generation = table.Column<long>(type: "bigint", nullable: false),
                    CreatedAt = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    Labels = table.Column<string>(type: "text", nullable: false),
                    Annotations = table.Column<string>(type: "text", nullable: false),
                    Spec = table.Column<string>(type: "text", nullable: false),
                    Status = table.Column<string>(type: "text", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_resources", x => new { x.Kind, x.Namespace, x.Name });
                });

            migrationBuilder.CreateTable(
                name: "runs",
                columns: table => new
                {
                    Id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    Feed = table.Column<string>(type: "text", nullable: false),
                    FeedUid = table.Column<Guid>(type: "uuid", nullable: false),
                    Trigger = table.Column<string>(type: "text", nullable: false),
                    QueuedAt = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    StartedAt = table.Column<DateTime>(type: "timestamp with time zone", nullable: true),
                    FinishedAt = table.Column<DateTime>(type: "timestamp with time zone", nullable: true),
                    Outcome = table.Column<string>(type: "text", nullable: true),
                    Accepted = table.Column<long>(type: "bigint", nullable: false),
                    Added = table.Column<long>(type: "bigint", nullable: false),
                    Removed = table.Column<long>(type: "bigint", nullable: false),
                    Skipped = table.Column<long>(type: "bigint", nullable: false),
                    Refused = table.Column<long>(type: "bigint", nullable: false),
                    Message = table.Column<string>(type: "text", nullable: true),
                    Refusals = table.Column<string>(type: "text", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_runs", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "set_chunks",
                columns: table => new
                {
                    SetId = table.Column<long>(type: "bigint", nullable: false),
                    Ordinal = table.Column<int>(type: "integer", nullable: false),
                    Count = table.Column<int>(type: "integer", nullable: false),
                    First = table.Column<byte[]>(type: "bytea", nullable: false),
                    Data = table.Column<byte[]>(type: "bytea", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_set_chunks", x => new { x.SetId, x.Ordinal });
                });

            migrationBuilder.CreateTable(
                name: "stored_sets",
                columns: table => new
                {
                    Id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    Content = table.Column<string>(type: "text", nullable: false),
                    Count = table.Column<long>(type: "bigint", nullable: false),
                    Digest = table.Column<string>(type: "text", nullable: false),
                    Origin = table.Column<string>(type: "text", nullable: false),
                    ETag = table.Column<string>(type: "text", nullable: true),
                    LastModified = table.Column<string>(type: "text", nullable: true),
                    CreatedAt = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    Complete = table.Column<bool>(type: "boolean", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_stored_sets", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "waiting_pushes",
                columns: table => new
                {
                    Feed = table.Column<string>(type: "text", nullable: false),
                    Content = table.Column<string>(type: "text", nullable: false),
                    Document = table.Column<string>(type: "text", nullable: false),
                    ReceivedAt = table.Column<DateTime>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_waiting_pushes", x => new { x.Feed, x.Content });
                });

            migrationBuilder.CreateIndex(
                name: "IX_alert_feeds_AlertId",
                table: "alert_feeds",
                column: "AlertId");

            migrationBuilder.CreateIndex(
                name: "IX_alerts_Cluster_Kind_Indicator_Namespace_Workload_Direction_~",
                table: "alerts",
                columns: new[] { "Cluster", "Kind", "Indicator", "Namespace", "Workload", "Direction", "Action", "Start" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_alerts_Indicator_LastSeen_Id",
                table: "alerts",
                columns: new[] { "Indicator", "LastSeen", "Id" });

            migrationBuilder.CreateIndex(
                name: "IX_alerts_LastSeen_Id",
                table: "alerts",
                columns: new[] { "LastSeen", "Id" });

            migrationBuilder.CreateIndex(
                name: "IX_alerts_Namespace_LastSeen_Id",
                table: "alerts",
                columns: new[] { "Namespace", "LastSeen", "Id" });

            migrationBuilder.CreateIndex(
                name: "IX_alerts_Severity_LastSeen_Id",
                table: "alerts",
                columns: new[] { "Severity", "LastSeen", "Id" });

            migrationBuilder.CreateIndex(
                name: "IX_alerts_State_LastSeen_Id",
                table: "alerts",
                columns: new[] { "State", "LastSeen", "Id" });

            migrationBuilder.CreateIndex(
                name: "IX_hits_AlertId_Time_Id",
                table: "hits",
                columns: new[] { "AlertId", "Time", "Id" });

            migrationBuilder.CreateIndex(
                name: "IX_hits_Value",
                table: "hits",
                column: "Value");

            migrationBuilder.CreateIndex(
                name: "IX_listings_Feed",
                table: "listings",
                column: "Feed",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_runs_Feed_Id",
                table: "runs",
                columns: new[] { "Feed", "Id" });

            migrationBuilder.CreateIndex(
                name: "IX_runs_FinishedAt",
                table: "runs",
                column: "FinishedAt");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "alert_feeds");

            migrationBuilder.DropTable(
                name: "alert_samples");

            migrationBuilder.DropTable(
                name: "alerts");

            migrationBuilder.DropTable(
                name: "counters");

            migrationBuilder.DropTable(
                name: "feed_hits");

            migrationBuilder.DropTable(
                name: "hits");

            migrationBuilder.DropTable(
                name: "listing_changes");

            migrationBuilder.DropTable(
                name: "listings");

            migrationBuilder.DropTable(
                name: "look_backs");

            migrationBuilder.DropTable(
                name: "progress");

            migrationBuilder.DropTable(
                name: "pushed_documents");

            migrationBuilder.DropTable(
                name: "resource_changes");

            migrationBuilder.DropTable(
                name: "resources");

            migrationBuilder.DropTable(
                name: "runs");

            migrationBuilder.DropTable(
                name: "set_chunks");

            migrationBuilder.DropTable(
                name: "stored_sets");

            migrationBuilder.DropTable(
                name: "waiting_pushes");
        }
    }
}
