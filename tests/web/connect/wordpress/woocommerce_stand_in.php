<?php
/**
 * Plugin Name: A stand-in for WooCommerce, which no package registry has.
 *
 * It does what the plug-in needs of WooCommerce, by its documentation: products with variations and categories as posts,
 * GET /wp-json/wc/v3/products, webhooks with their topics, hooks, headers and signature, and the filters around them.
 */

add_action( 'init', 'stand_in_init' );
add_action( 'rest_api_init', 'stand_in_routes' );
add_action( 'wp_trash_post', fn( $id ) => stand_in_queue( 'product.deleted', $id ) );
add_action( 'untrashed_post', fn( $id ) => stand_in_queue( 'product.restored', $id ) );
add_action( 'shutdown', 'stand_in_execute_queue' );
add_filter( 'wp_untrash_post_status', fn() => 'publish' );

function stand_in_init() {
	register_post_type( 'product', array( 'public' => true, 'label' => 'Products', 'rewrite' => array( 'slug' => 'product' ) ) );
	register_post_type( 'product_variation', array( 'public' => false ) );
	register_taxonomy( 'product_cat', 'product', array( 'hierarchical' => true, 'label' => 'Categories' ) );
}

function get_woocommerce_currency() {
	return 'SEK';
}

function wc_get_product( $id ) {
	$post = get_post( $id );
	return $post && in_array( $post->post_type, array( 'product', 'product_variation' ), true ) ? new Stand_In_Product( $post ) : false;
}

function wc_get_webhook( $id ) {
	$stored = get_option( "stand_in_webhook_$id" );
	return $stored ? new WC_Webhook( $id, $stored ) : null;
}

class Stand_In_Product {
	public $post;

	public function __construct( $post ) {
		$this->post = $post;
	}

	public function get_id() {
		return $this->post->ID;
	}

	public function get_visible_children() {
		return get_posts( array( 'post_type' => 'product_variation', 'post_parent' => $this->get_id(), 'fields' => 'ids', 'numberposts' => -1, 'orderby' => 'ID', 'order' => 'ASC' ) );
	}

	public function is_type( $type ) {
		$is_variation = 'product_variation' === $this->post->post_type;
		return $type === ( $is_variation ? 'variation' : ( $this->get_visible_children() ? 'variable' : 'simple' ) );
	}

	public function get_category_ids() {
		return wp_get_post_terms( $this->get_id(), 'product_cat', array( 'fields' => 'ids' ) );
	}

	public function data() {
		$meta         = fn( $name, $default = '' ) => get_post_meta( $this->get_id(), $name, true ) ?: $default;
		$is_variation = $this->is_type( 'variation' );
		return array(
			'id'                 => $this->get_id(),
			'name'               => $this->post->post_title,
			'type'               => $is_variation ? 'variation' : ( $this->is_type( 'variable' ) ? 'variable' : 'simple' ),
			'parent_id'          => $this->post->post_parent,
			'status'             => $this->post->post_status,
			'catalog_visibility' => 'visible',
			'description'        => $this->post->post_content,
			'permalink'          => get_permalink( $this->post->post_parent ?: $this->get_id() ),
			'price'              => $meta( 'price' ),
			'regular_price'      => $meta( 'regular_price', $meta( 'price' ) ),
			'date_modified_gmt'  => str_replace( ' ', 'T', $this->post->post_modified_gmt ),
			'stock_status'       => $meta( 'stock_status', 'instock' ),
			'backorders'         => 'no',
			'categories'         => array_map( fn( $id ) => array( 'id' => $id, 'name' => get_term( $id )->name ), $this->get_category_ids() ),
			'tags'               => array(),
			'images'             => array( array( 'id' => 1, 'src' => $meta( 'image' ) ) ),
			'attributes'         => $is_variation ? array( array( 'id' => 1, 'name' => 'Colour', 'option' => $meta( 'colour' ) ) ) : array(),
			'variations'         => $is_variation ? array() : $this->get_visible_children(),
		);
	}
}

class WC_Webhook {
	public $id;
	public $data;

	public function __construct( $id = 0, $data = array() ) {
		list( $this->id, $this->data ) = array( $id, $data );
	}

	public function __call( $name, $arguments ) {
		list( $verb, $field ) = explode( '_', $name, 2 );
		if ( 'set' === $verb ) {
			$this->data[ $field ] = $arguments[0];
		}
		return $this->data[ $field ] ?? null;
	}

	public function get_id() {
		return $this->id;
	}

	public function save() {
		$this->id = $this->id ?: 1 + (int) get_option( 'stand_in_webhooks' );
		update_option( 'stand_in_webhooks', max( $this->id, (int) get_option( 'stand_in_webhooks' ) ) );
		update_option( "stand_in_webhook_$this->id", $this->data );
		return $this->id;
	}

	public function delete( $force ) {
		return delete_option( "stand_in_webhook_$this->id" );
	}

	public function deliver( $product_id ) {
		$before = get_current_user_id();
		wp_set_current_user( $this->data['user_id'] );
		$payload = array( 'id' => $product_id );
		if ( 'product.deleted' !== $this->data['topic'] ) {
			$payload = rest_get_server()->response_to_data( rest_do_request( "/wc/v3/products/$product_id" ), false );
		}
		wp_set_current_user( $before );
		$payload = apply_filters( 'woocommerce_webhook_payload', $payload, 'product', $product_id, $this->id );
		$body = trim( wp_json_encode( $payload ) );
		$args = array(
			'timeout' => MINUTE_IN_SECONDS,
			'body'    => $body,
			'headers' => array(
				'Content-Type'             => 'application/json',
				'X-WC-Webhook-Topic'       => $this->data['topic'],
				'X-WC-Webhook-Signature'   => base64_encode( hash_hmac( 'sha256', $body, wp_specialchars_decode( $this->data['secret'], ENT_QUOTES ), true ) ),
				'X-WC-Webhook-ID'          => $this->id,
				'X-WC-Webhook-Delivery-ID' => wp_hash( $this->id . strtotime( 'now' ) ),
			),
		);
		$args   = apply_filters( 'woocommerce_webhook_http_args', $args, $product_id, $this->id );
		$answer = wp_remote_post( $this->data['delivery_url'], $args );
		$code   = is_wp_error( $answer ) ? $answer->get_error_message() : wp_remote_retrieve_response_code( $answer );
		error_log( "webhook {$this->data['topic']} $product_id: $code, timeout {$args['timeout']}" );
	}
}

$GLOBALS['stand_in_queue'] = array();

function stand_in_queue( $topic, $product_id ) {
	if ( in_array( get_post_type( $product_id ), array( 'product', 'product_variation' ), true ) ) {
		$GLOBALS['stand_in_queue'][ "$topic $product_id" ] = array( $topic, (int) $product_id );
	}
}

/** Deliver at the end of a request what may not wait for the queue of Action Scheduler; the rest is lost here. */
function stand_in_execute_queue() {
	for ( $id = 1; $id <= (int) get_option( 'stand_in_webhooks' ); $id++ ) {
		$webhook = wc_get_webhook( $id );
		foreach ( $webhook ? $GLOBALS['stand_in_queue'] : array() as list( $topic, $product_id ) ) {
			if ( $topic === $webhook->get_topic() && ! apply_filters( 'woocommerce_webhook_deliver_async', true, $webhook, $product_id ) ) {
				$webhook->deliver( $product_id );
			}
		}
	}
}

function stand_in_routes() {
	$may_read = fn() => current_user_can( 'edit_posts' ) || ( 'ck_try' === ( $_SERVER['PHP_AUTH_USER'] ?? '' ) && 'cs_try' === ( $_SERVER['PHP_AUTH_PW'] ?? '' ) && wp_set_current_user( 1 ) );
	$prepared = function ( $post ) {
		$product = new Stand_In_Product( $post );
		return apply_filters( 'woocommerce_rest_prepare_product_object', new WP_REST_Response( $product->data() ), $product, null );
	};
	$list     = function ( $type, $parent, $request ) use ( $prepared ) {
		$query = new WP_Query( array( 'post_type' => $type, 'post_parent' => $parent, 'post_status' => 'publish', 'posts_per_page' => (int) $request['per_page'], 'paged' => (int) $request['page'], 'orderby' => 'ID', 'order' => 'ASC' ) );
		$found = array_map( fn( $post ) => $prepared( $post )->get_data(), $query->posts );
		return new WP_REST_Response( $found, 200, array( 'X-WP-Total' => $query->found_posts, 'X-WP-TotalPages' => $query->max_num_pages ) );
	};
	$routes   = array(
		'/products'                          => fn( $request ) => $list( 'product', '', $request ),
		'/products/(?P<id>\d+)'              => fn( $request ) => $prepared( get_post( $request['id'] ) ),
		'/products/(?P<id>\d+)/variations'   => fn( $request ) => $list( 'product_variation', $request['id'], $request ),
		// What the shop's own pages do to products, for the trial: a request like any other, with hooks at its end.
		'/trial'                             => 'stand_in_change',
	);
	foreach ( $routes as $route => $callback ) {
		$methods = '/trial' === $route ? 'POST' : 'GET';
		register_rest_route( 'wc/v3', $route, array( 'methods' => $methods, 'callback' => $callback, 'permission_callback' => $may_read ) );
	}
}

function stand_in_change( $request ) {
	$given = $request->get_json_params();
	if ( isset( $given['trash'] ) ) {
		return (bool) wp_trash_post( $given['trash'] );
	}
	if ( isset( $given['untrash'] ) ) {
		return (bool) wp_untrash_post( $given['untrash'] );
	}
	$is_new = empty( $given['post']['ID'] );
	$id     = $is_new ? wp_insert_post( $given['post'] ) : wp_update_post( $given['post'] );
	foreach ( $given['meta'] ?? array() as $name => $value ) {
		update_post_meta( $id, $name, $value );
	}
	$parent = 0;
	foreach ( $given['categories'] ?? array() as $name ) {
		$term   = wp_insert_term( $name, 'product_cat', array( 'parent' => $parent ) );
		$parent = is_wp_error( $term ) ? $term->get_error_data() : $term['term_id'];
		wp_set_object_terms( $id, (int) $parent, 'product_cat' );
	}
	stand_in_queue( $is_new ? 'product.created' : 'product.updated', $id );
	return $id;
}
