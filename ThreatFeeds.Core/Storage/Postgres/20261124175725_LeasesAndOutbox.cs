using System;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;

#nullable disable

namespace ThreatFeeds.Storage.Postgres
{
    /// <inheritdoc />
    public partial class LeasesAndOutbox : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            // Counts of hits and pushed documents belong to the feed that has the name now; what no feed has any more goes.
            migrationBuilder.Sql("""
                CREATE TABLE feed_hits_before AS SELECT l."FeedUid", h."Hour", h."Count", h."LastTime" FROM feed_hits h JOIN listings l ON l."Feed" = h."Feed";
                CREATE TABLE pushed_documents_before AS SELECT l."FeedUid", d."Feed", d."Content", d."Document", d."Version", d."UpdatedAt" FROM pushed_documents d JOIN listings l ON l."Feed" = d."Feed";
                DELETE FROM feed_hits;
                DELETE FROM pushed_documents;
                """);

            migrationBuilder.DropPrimaryKey(
                name: "PK_pushed_documents",
                table: "pushed_documents");

            migrationBuilder.DropPrimaryKey(
                name: "PK_feed_hits",
                table: "feed_hits");

            migrationBuilder.DropColumn(
                name: "Feed",
                table: "feed_hits");

            migrationBuilder.AddColumn<int>(
                name: "Format",
                table: "stored_sets",
                type: "integer",
                nullable: false,
                defaultValue: 1);

            migrationBuilder.AddColumn<string>(
                name: "Actor",
                table: "runs",
                type: "text",
                nullable: false,
                defaultValue: "system");

            migrationBuilder.AddColumn<string>(
                name: "LeaseOwner",
                table: "runs",
                type: "text",
                nullable: true);

            migrationBuilder.AddColumn<DateTime>(
                name: "LeaseUntil",
                table: "runs",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<Guid>(
                name: "FeedUid",
                table: "pushed_documents",
                type: "uuid",
                nullable: false,
                defaultValue: new Guid("00000000-0000-0000-0000-000000000000"));

            migrationBuilder.AddColumn<DateTime>(
                name: "SeenAt",
                table: "progress",
                type: "timestamp with time zone",
                nullable: false,
                defaultValue: new DateTime(1, 1, 1, 0, 0, 0, 0, DateTimeKind.Unspecified));

            migrationBuilder.AddColumn<string>(
                name: "RecordId",
                table: "hits",
                type: "text",
                nullable: true);

            migrationBuilder.AddColumn<Guid>(
                name: "FeedUid",
                table: "feed_hits",
                type: "uuid",
                nullable: false,
                defaultValue: new Guid("00000000-0000-0000-0000-000000000000"));

            migrationBuilder.AddPrimaryKey(
                name: "PK_pushed_documents",
                table: "pushed_documents",
                column: "FeedUid");

            migrationBuilder.AddUniqueConstraint(
                name: "AK_listings_FeedUid",
                table: "listings",
                column: "FeedUid");

            migrationBuilder.AddPrimaryKey(
                name: "PK_feed_hits",
                table: "feed_hits",
                columns: new[] { "FeedUid", "Hour" });

            migrationBuilder.CreateTable(
                name: "alert_outbox",
                columns: table => new
                {
                    Id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    AlertId = table.Column<long>(type: "bigint", nullable: false),
                    News = table.Column<string>(type: "text", nullable: false),
                    At = table.Column<DateTime>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_alert_outbox", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "gone_sources",
                columns: table => new
                {
                    Source = table.Column<string>(type: "text", nullable: false),
                    Kind = table.Column<string>(type: "text", nullable: false),
                    GoneAt = table.Column<DateTime>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_gone_sources", x => x.Source);
                });

            migrationBuilder.CreateTable(
                name: "set_aside",
                columns: table => new
                {
                    Source = table.Column<string>(type: "text", nullable: false),
                    Segment = table.Column<long>(type: "bigint", nullable: false),
                    Ordinal = table.Column<long>(type: "bigint", nullable: false),
                    Reason = table.Column<string>(type: "text", nullable: false),
                    At = table.Column<DateTime>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_set_aside", x => new { x.Source, x.Segment, x.Ordinal });
                });

            migrationBuilder.CreateIndex(
                name: "IX_alert_outbox_At",
                table: "alert_outbox",
                column: "At");

            migrationBuilder.AddForeignKey(
                name: "FK_pushed_documents_listings_FeedUid",
                table: "pushed_documents",
                column: "FeedUid",
                principalTable: "listings",
                principalColumn: "FeedUid",
                onDelete: ReferentialAction.Cascade);

            migrationBuilder.Sql("""
                INSERT INTO feed_hits ("FeedUid", "Hour", "Count", "LastTime") SELECT "FeedUid", "Hour", "Count", "LastTime" FROM feed_hits_before;
                INSERT INTO pushed_documents ("FeedUid", "Feed", "Content", "Document", "Version", "UpdatedAt") SELECT "FeedUid", "Feed", "Content", "Document", "Version", "UpdatedAt" FROM pushed_documents_before;
                DROP TABLE feed_hits_before;
                DROP TABLE pushed_documents_before;
                UPDATE progress SET "SeenAt" = now();
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder) => throw new NotSupportedException("Data are brought forward only.");
    }
}
