<?php
/**
 * Plugin Name: Windowshop
 * Description: Keeps a Windowshop server up to date with the products of this shop, and puts its search on the pages.
 * Version: 1.0.0
 * Requires at least: 6.0
 * Requires PHP: 7.4
 * License: Apache-2.0
 * Text Domain: windowshop
 *
 * What WooCommerce does already, signed messages about products, is left to it. This plug-in registers them, adds what
 * they lack, and has them sent at once.
 */

defined( 'ABSPATH' ) || exit;

const WINDOWSHOP_OPTION   = 'windowshop';
const WINDOWSHOP_WEBHOOKS = 'windowshop_webhooks'; // the ids of our webhooks, by topic
const WINDOWSHOP_PATH     = '/connect/woocommerce/webhooks';
const WINDOWSHOP_TOPICS   = array( 'product.created', 'product.updated', 'product.deleted', 'product.restored' );
const WINDOWSHOP_PAGE     = 100; // variations in one answer, the most that WooCommerce gives
const WINDOWSHOP_TIMEOUT  = 5; // seconds; the server answers in milliseconds, and a shop must not wait for one that is down

/** Return the settings, with the defaults of those that were never saved. */
function windowshop_settings(): array {
	$defaults = array( 'server' => '', 'secret' => '', 'key' => '', 'similar' => '1' );
	return array_merge( $defaults, (array) get_option( WINDOWSHOP_OPTION, array() ) );
}

/** Return the settings as they may be stored. A server without https is for a shop on the same machine only. */
function windowshop_sanitized( $given ): array {
	$given  = is_array( $given ) ? array_map( fn( $value ) => is_string( $value ) ? trim( $value ) : '', $given ) : array();
	$before = windowshop_settings();
	$server = untrailingslashit( esc_url_raw( $given['server'] ?? '', array( 'https', 'http' ) ) );
	$parts  = wp_parse_url( $server );
	$local  = in_array( $parts['host'] ?? '', array( 'localhost', '127.0.0.1' ), true );
	if ( '' !== $server && 'https' !== ( $parts['scheme'] ?? '' ) && ! $local ) {
		add_settings_error( WINDOWSHOP_OPTION, 'server', __( 'The address of the server must begin with https://. It was not changed.', 'windowshop' ) );
		$server = $before['server'];
	}
	return array(
		'server'  => $server,
		'secret'  => ( $given['secret'] ?? '' ) !== '' ? sanitize_text_field( $given['secret'] ) : wp_generate_password( 48, false ),
		'key'     => preg_replace( '/[^A-Za-z0-9_.-]/', '', $given['key'] ?? '' ),
		'similar' => empty( $given['similar'] ) ? '' : '1',
	);
}

/** Make the webhooks equal to the settings: one for each topic, or none without a server. */
function windowshop_save_webhooks(): void {
	if ( ! class_exists( 'WC_Webhook' ) ) {
		return;
	}
	$settings = windowshop_settings();
	if ( '' === $settings['server'] ) {
		windowshop_remove_webhooks();
		return;
	}
	$known = (array) get_option( WINDOWSHOP_WEBHOOKS, array() );
	foreach ( WINDOWSHOP_TOPICS as $topic ) {
		$webhook = isset( $known[ $topic ] ) ? wc_get_webhook( (int) $known[ $topic ] ) : null;
		$webhook = $webhook ? $webhook : new WC_Webhook();
		$webhook->set_name( "Windowshop: $topic" );
		$webhook->set_topic( $topic );
		$webhook->set_delivery_url( $settings['server'] . WINDOWSHOP_PATH );
		$webhook->set_secret( $settings['secret'] );
		$webhook->set_api_version( 'wp_api_v3' );
		$webhook->set_user_id( get_current_user_id() ); // whose rights decide what the message holds
		$webhook->set_status( 'active' ); // also where five errors in a row had switched it off
		$known[ $topic ] = $webhook->save();
	}
	update_option( WINDOWSHOP_WEBHOOKS, $known, false );
}

/** Remove our webhooks, and no others. */
function windowshop_remove_webhooks(): void {
	foreach ( (array) get_option( WINDOWSHOP_WEBHOOKS, array() ) as $id ) {
		$webhook = function_exists( 'wc_get_webhook' ) ? wc_get_webhook( (int) $id ) : null;
		if ( $webhook ) {
			$webhook->delete( true );
		}
	}
	delete_option( WINDOWSHOP_WEBHOOKS );
}

/** Tell whether a webhook is one of ours. */
function windowshop_owns( $webhook_id ): bool {
	return in_array( (int) $webhook_id, array_map( 'intval', (array) get_option( WINDOWSHOP_WEBHOOKS, array() ) ), true );
}

/** Send our webhooks with the request that changes a product, in place of a queue that a visitor's request works off. */
function windowshop_deliver_async( $is_async, $webhook ) {
	return windowshop_owns( $webhook->get_id() ) ? false : $is_async;
}

/** Let a server that is down hold up nobody. */
function windowshop_http_args( $args, $argument, $webhook_id ) {
	return windowshop_owns( $webhook_id ) ? array_merge( $args, array( 'timeout' => WINDOWSHOP_TIMEOUT ) ) : $args;
}

/** Add to a product what WooCommerce's own messages lack: currency, category paths, and all variations. */
function windowshop_prepared( $response, $product ) {
	$data = $response->get_data();
	if ( ! isset( $data['id'] ) || $product->is_type( 'variation' ) ) {
		return $response;
	}
	$added = array(
		'currency'       => get_woocommerce_currency(),
		'category_paths' => array_map( 'windowshop_category_path', $product->get_category_ids() ),
	);
	if ( $product->is_type( 'variable' ) ) {
		$added['variations'] = windowshop_variations( (int) $data['id'] );
	}
	$response->set_data( array_merge( $data, array( 'windowshop' => $added ) ) );
	return $response;
}

/** Say in the message of a removal when it was, so that nobody can send it again after the product has come back. */
function windowshop_payload( $payload, $resource, $resource_id, $webhook_id ) {
	$is_removal = is_array( $payload ) && array( 'id' ) === array_keys( $payload );
	if ( 'product' === $resource && $is_removal && windowshop_owns( $webhook_id ) ) {
		$payload['windowshop'] = array( 'deleted_at' => gmdate( 'Y-m-d\TH:i:s' ) );
	}
	return $payload;
}

/** Return the names from the top category down to one, as they are read and not as they are escaped. */
function windowshop_category_path( $category_id ): array {
	$path = array_reverse( get_ancestors( (int) $category_id, 'product_cat', 'taxonomy' ) );
	$name = function ( $id ) {
		$term = get_term( $id, 'product_cat' );
		return $term instanceof WP_Term ? html_entity_decode( $term->name, ENT_QUOTES, 'UTF-8' ) : '';
	};
	return array_values( array_filter( array_map( $name, array_merge( $path, array( (int) $category_id ) ) ) ) );
}

/** Return all published variations as WooCommerce's own interface gives them; none where the reader may not see them. */
function windowshop_variations( int $product_id ): array {
	$found = array();
	for ( $page = 1, $pages = 1; $page <= $pages; $page++ ) {
		$request = new WP_REST_Request( 'GET', "/wc/v3/products/$product_id/variations" );
		$request->set_query_params( array( 'per_page' => WINDOWSHOP_PAGE, 'page' => $page, 'status' => 'publish' ) );
		$answer = rest_do_request( $request );
		if ( $answer->is_error() ) {
			return array();
		}
		$pages = (int) ( $answer->get_headers()['X-WP-TotalPages'] ?? 1 );
		foreach ( rest_get_server()->response_to_data( $answer, false ) as $variation ) {
			$found[] = array_merge( $variation, array( 'parent_id' => $product_id, 'type' => 'variation' ) );
		}
	}
	return $found;
}

/** Load the script of the search on a page that shows it. */
function windowshop_enqueue(): bool {
	$server = windowshop_settings()['server'];
	if ( '' === $server ) {
		return false;
	}
	wp_enqueue_script( 'windowshop', "$server/embed.js", array(), null, true ); // the server names no version in its address
	return true;
}

/** Give the script's tag the address of the server and the public key. */
function windowshop_script_tag( $tag, $handle ) {
	if ( 'windowshop' !== $handle ) {
		return $tag;
	}
	$settings = windowshop_settings();
	$added    = sprintf( ' defer data-shop="%s"', esc_url( $settings['server'] ) );
	$added   .= '' !== $settings['key'] ? sprintf( ' data-key="%s"', esc_attr( $settings['key'] ) ) : '';
	return str_replace( '<script ', "<script$added ", $tag );
}

/** [windowshop_search hits="12" placeholder="..."] shows the search box. */
function windowshop_search_shortcode( $given ): string {
	$given = shortcode_atts( array( 'hits' => '', 'placeholder' => '' ), $given );
	return windowshop_enqueue() ? windowshop_element( 'windowshop-search', $given ) : '';
}

/** [windowshop_similar product="123" hits="4" heading="..." kind="similar"] shows similar products, of the page's own by default. */
function windowshop_similar_shortcode( $given ): string {
	$given = shortcode_atts( array( 'product' => '', 'hits' => '', 'heading' => '', 'kind' => '' ), $given );
	if ( '' === $given['product'] && function_exists( 'wc_get_product' ) ) {
		$product          = wc_get_product( get_the_ID() );
		$given['product'] = $product ? windowshop_product_id( $product ) : '';
	}
	return '' !== $given['product'] && windowshop_enqueue() ? windowshop_element( 'windowshop-similar', $given ) : '';
}

/** Return the id by which Windowshop knows a product: that of its first variation where it has some. */
function windowshop_product_id( $product ): string {
	$children = $product->is_type( 'variable' ) ? $product->get_visible_children() : array();
	return (string) ( $children ? reset( $children ) : $product->get_id() );
}

/** Return an element with the attributes that are not empty. */
function windowshop_element( string $name, array $attributes ): string {
	$text = '';
	foreach ( array_filter( $attributes, 'strlen' ) as $attribute => $value ) {
		$text .= sprintf( ' %s="%s"', $attribute, esc_attr( $value ) );
	}
	return "<$name$text></$name>";
}

/** Show similar products below a product, unless the setting turns them off. */
function windowshop_below_product(): void {
	if ( windowshop_settings()['similar'] ) {
		echo windowshop_similar_shortcode( array() ); // phpcs:ignore WordPress.Security.EscapeOutput -- each attribute is escaped
	}
}

/** Show the page of the settings. */
function windowshop_settings_page(): void {
	$settings = windowshop_settings();
	$fields   = array(
		'server' => array( __( 'Address of the server', 'windowshop' ), 'url', __( 'For example https://search.shop.example.', 'windowshop' ) ),
		'secret' => array( __( 'Secret', 'windowshop' ), 'text', __( 'The server has the same in WINDOWSHOP_WOOCOMMERCE_SECRET. Empty: a new one is made.', 'windowshop' ) ),
		'key'    => array( __( 'Public search key', 'windowshop' ), 'text', __( 'Only where the server wants one. Visitors can read it.', 'windowshop' ) ),
	);
	echo '<div class="wrap"><h1>Windowshop</h1>';
	if ( ! class_exists( 'WC_Webhook' ) ) {
		printf( '<div class="notice notice-warning"><p>%s</p></div>', esc_html__( 'WooCommerce is not active, so the server is told of no product.', 'windowshop' ) );
	}
	echo '<form method="post" action="options.php">';
	settings_fields( 'windowshop' );
	echo '<table class="form-table" role="presentation">';
	foreach ( $fields as $name => list( $label, $type, $hint ) ) {
		printf(
			'<tr><th scope="row"><label for="windowshop-%1$s">%2$s</label></th><td><input class="regular-text" autocomplete="off" id="windowshop-%1$s" name="windowshop[%1$s]" type="%3$s" value="%4$s" aria-describedby="windowshop-%1$s-hint"><p class="description" id="windowshop-%1$s-hint">%5$s</p></td></tr>',
			esc_attr( $name ),
			esc_html( $label ),
			esc_attr( $type ),
			esc_attr( $settings[ $name ] ),
			esc_html( $hint )
		);
	}
	printf(
		'<tr><th scope="row">%1$s</th><td><label><input name="windowshop[similar]" type="checkbox" value="1"%2$s> %3$s</label></td></tr></table>',
		esc_html__( 'Product pages', 'windowshop' ),
		checked( $settings['similar'], '1', false ),
		esc_html__( 'Show similar products below each product', 'windowshop' )
	);
	submit_button();
	echo '</form></div>';
}

add_action( 'admin_init', fn() => register_setting( 'windowshop', WINDOWSHOP_OPTION, array( 'sanitize_callback' => 'windowshop_sanitized' ) ) );
add_action( 'admin_menu', fn() => add_options_page( 'Windowshop', 'Windowshop', 'manage_options', 'windowshop', 'windowshop_settings_page' ) );
add_action( 'add_option_' . WINDOWSHOP_OPTION, 'windowshop_save_webhooks', 10, 0 );
add_action( 'update_option_' . WINDOWSHOP_OPTION, 'windowshop_save_webhooks', 10, 0 );
add_filter( 'woocommerce_webhook_deliver_async', 'windowshop_deliver_async', 10, 2 );
add_filter( 'woocommerce_webhook_http_args', 'windowshop_http_args', 10, 3 );
add_filter( 'woocommerce_webhook_payload', 'windowshop_payload', 10, 4 );
add_filter( 'woocommerce_rest_prepare_product_object', 'windowshop_prepared', 10, 2 );
add_filter( 'script_loader_tag', 'windowshop_script_tag', 10, 2 );
add_shortcode( 'windowshop_search', 'windowshop_search_shortcode' );
add_shortcode( 'windowshop_similar', 'windowshop_similar_shortcode' );
add_action( 'woocommerce_after_single_product_summary', 'windowshop_below_product', 15 ); // before related products, at 20
register_activation_hook( __FILE__, 'windowshop_save_webhooks' );
register_deactivation_hook( __FILE__, 'windowshop_remove_webhooks' );
